import { randomBytes } from 'node:crypto'
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { namespaceNames, unnameNamespace } from '../../../src/sys/index.ts'
import { inProject } from '../../house/project.ts'
import { type Census, takeCensus } from '../../support/leaks.ts'
import { differences, Outside } from '../../support/outside.ts'
import { Xc } from '../../support/xc.ts'

const script = fileURLToPath(new URL('./original-words.sh', import.meta.url))
const user = `xcw${randomBytes(4).toString('hex')}`
let outside: Outside
let xc: Xc
let census: Census

beforeAll(async () => {
  outside = await new Outside().connect()
  xc = new Xc({ host: outside.host })
  census = await takeCensus({ directories: [xc.runtime] })
  mkdirSync(`${xc.root}/bin`)
  mkdirSync(`${xc.root}/day`)
  const program = `#!/bin/sh\nexec "${process.execPath}" "${inProject('bin/xc.js')}" "$@"\n`
  writeFileSync(`${xc.root}/bin/xc`, program)
  chmodSync(`${xc.root}/bin/xc`, 0o755)
  Object.assign(xc.env, { USER: user, DIR: `${xc.root}/day`, PATH: `${xc.root}/bin:${process.env.PATH}` })
})

afterAll(async () => {
  await xc.run(['stop', '--all'])
  await xc.run(['nsdel', '1'])
  for (const left of namespaceNames().filter(each => each.startsWith(user))) unnameNamespace(left)
  await census.expectUnchanged()
  await outside[Symbol.asyncDispose]()
})

test("a script in the original's words, of more than 40 lines, runs as it is and leaves nothing", async () => {
  const lines = readFileSync(script, 'utf8').split('\n')
  expect(lines.filter(line => line !== '' && !line.startsWith('#')).length).toBeGreaterThan(40)
  const before = await outside.looks()
  const { stdout, stderr, status } = await xc.inShell(`nsenter --net=${outside.host.path} sh -ex ${script}`)
    .result
  expect({ status, last: stdout.trim().split('\n').at(-1), stderr }).toMatchObject({
    ...{ status: 0, last: 'the day is over' },
  })
  expect(stderr).toContain('vm-201 eth2: ')
  expect(differences(before, await outside.looks())).toEqual([])
})
