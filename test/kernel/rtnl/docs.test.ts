import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { openRoute, veth } from '../../../src/rtnl/index.ts'
import { NetNamespace } from '../../../src/sys/index.ts'
import { test } from '../../support/leaks.ts'
import { narrowLine } from './narrow-line.ts'

const textOf = (...path: string[]) => readFileSync(join(import.meta.dirname, ...path), 'utf8')

test('the example of docs/traffic.md runs', async () => {
  const example = textOf('narrow-line.ts').replace('../../../src/rtnl/index.ts', 'xcluster/rtnl')
  expect(textOf('..', '..', '..', 'docs', 'traffic.md')).toContain(`\`\`\`ts\n${example}\`\`\`\n`)
  await using namespace = NetNamespace.create()
  await using route = openRoute({ namespace })
  await route.links.add(veth({ name: 'a', up: true, peer: { name: 'b' } }))
  await narrowLine(namespace, 'a', 10e6)
  const shaped = (await route.qdiscs.list()).filter(({ kind }) => kind === 'tbf')
  expect(shaped.map(({ settings }) => settings)).toMatchObject([{ rate: 10e6 }, { rate: 10e6 }])
})
