import { expect } from 'vitest'
import { openNft } from '../../../src/nft/index.ts'
import { NetNamespace } from '../../../src/sys/index.ts'
import { test } from '../../support/leaks.ts'
import { inNamespace } from '../../support/namespace.ts'
import { said } from '../../unit/nft/said.ts'
import { before, commands, needs } from '../../vectors/nft/rulesets.ts'
import { tell } from './tell.ts'

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

const alone = /^(set|map|table|chain|object-(add|delete)|flowtable|ruleset|family)-/
const here = Object.keys(commands).filter(name => !(name in needs))
const rules = here.filter(name => !alone.test(`${name}-`))

test("nft lists the library's rules as its own, after one transaction with all of them", async () => {
  const { ours, theirs } = await judge(rules)
  expect(ours).toEqual(theirs)
  for (const part of ['masquerade', 'meter', 'jhash', 'tproxy']) expect(JSON.stringify(ours)).toContain(part)
})

for (const name of here.filter(each => alone.test(`${each}-`)))
  test(`${name}: nft lists the ruleset that it would have made`, async () => {
    const { ours, theirs } = await judge([name])
    expect(ours).toEqual(theirs)
  })

/** Some kernels refuse these, from nft as well. */
for (const [name, part] of Object.entries(needs))
  test(`${name}: nft lists the ruleset that it would have made, where the kernel has ${part}`, async ({
    skip,
  }) => {
    await using namespace = NetNamespace.create()
    await tell(namespace, before)
    const accepted = await tell(namespace, [commands[name]!]).then(
      () => true,
      () => false,
    )
    if (!accepted) return skip(`this kernel lacks ${part}`)
    const { ours, theirs } = await judge([name])
    expect(ours).toEqual(theirs)
  })
