import { writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import { openNft } from '../../../src/nft/index.ts'
import { NetNamespace } from '../../../src/sys/index.ts'
import { test } from '../../support/leaks.ts'
import { inNamespace } from '../../support/namespace.ts'
import { said } from '../../unit/nft/said.ts'
import { before, commands } from '../../vectors/nft/rulesets.ts'

/** Runs `nft -f` with these lines. */
async function tell(namespace: NetNamespace, lines: readonly string[]): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'nft-'))
  try {
    writeFileSync(join(folder, 'lines'), `${lines.join('\n')}\n`)
    await inNamespace(namespace, ['nft', '-f', join(folder, 'lines')])
  } finally {
    await rm(folder, { recursive: true })
  }
}

/** The ruleset as nft lists it, without the numbers that the kernel assigns. */
async function seen(namespace: NetNamespace): Promise<unknown> {
  const { stdout } = await inNamespace(namespace, ['nft', '-j', 'list', 'ruleset'])
  return JSON.parse(stdout, (key, value) => (key === 'handle' ? undefined : value))
}

/** Gives the same commands to nft and to the library, and returns both rulesets. */
async function judge(names: readonly string[]): Promise<{ ours: unknown; theirs: unknown }> {
  await using theirs = NetNamespace.create()
  await using ours = NetNamespace.create()
  await using nft = openNft({ namespace: ours })
  await Promise.all([tell(theirs, before), tell(ours, before)])
  await tell(
    theirs,
    names.map(name => commands[name]!),
  )
  await nft.transaction(transaction => {
    for (const name of names) said[name]!(transaction)
  })
  return { ours: await seen(ours), theirs: await seen(theirs) }
}

const alone = /^(set|map|table|chain)-/
const rules = Object.keys(commands).filter(name => !alone.test(name))

test("nft lists the library's rules as its own, after one transaction with all of them", async () => {
  const { ours, theirs } = await judge(rules)
  expect(ours).toEqual(theirs)
  expect(JSON.stringify(ours)).toContain('masquerade')
})

for (const name of Object.keys(commands).filter(each => alone.test(each)))
  test(`${name}: nft lists the ruleset that it would have made`, async () => {
    const { ours, theirs } = await judge([name])
    expect(ours).toEqual(theirs)
  })
