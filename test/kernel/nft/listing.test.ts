import { expect } from 'vitest'
import { expressionText, type Nft, openNft, type Table } from '../../../src/nft/index.ts'
import { openRoute, veth } from '../../../src/rtnl/index.ts'
import { NetNamespace } from '../../../src/sys/index.ts'
import { test } from '../../support/leaks.ts'
import { inNamespace } from '../../support/namespace.ts'
import { asNft, sorted } from './as-nft.ts'
import { everything } from './everything.ts'
import { tell } from './tell.ts'

/** Lets nft make everything that a ruleset can have. */
async function fill(namespace: NetNamespace): Promise<void> {
  await using route = openRoute({ namespace })
  await route.links.add(veth({ name: 'a', peer: { name: 'b' } }))
  await tell(namespace, everything)
}

type Json = Record<string, Record<string, unknown>>

/** What nft lists, without the statements of rules; an expiry is true, for it runs while two listings are made. */
async function theirs(namespace: NetNamespace): Promise<Json[]> {
  const { stdout } = await inNamespace(namespace, ['nft', '-j', '-n', 'list', 'ruleset'])
  const { nftables } = JSON.parse(stdout, (key, value) => {
    if (key === 'expr' || key === 'flags' || key === 'metainfo')
      return key === 'flags' ? flagsIn(value) : undefined
    if (key === 'expires') return true
    return key === 'elem' && Array.isArray(value) ? sorted(value) : value
  }) as { nftables: Json[] }
  return nftables.filter(each => Object.keys(each).length > 0)
}

/** nft 1.0.6 lists the flags of a table as one letter, and leaves out `dynamic`. */
const flagsIn = (flags: unknown) =>
  Array.isArray(flags) ? flags.filter(flag => flag !== 'dynamic') : undefined

/** The kind, family, table and handle of an object. */
function identity(object: Json): string {
  const [[kind, { family, table, name, handle }]] = Object.entries(object) as [
    [string, Record<string, unknown>],
  ]
  return `${kind} ${family} ${table ?? name} ${handle}`
}

test('a listing has every object that nft lists, with the same value in every field', async () => {
  await using namespace = NetNamespace.create()
  await fill(namespace)
  await using nft = openNft({ namespace })
  const ours = new Map(asNft((await nft.list()).tables).map(object => [identity(object as Json), object]))
  const expected = await theirs(namespace)
  expect(expected.length).toBeGreaterThan(80)
  for (const object of expected) expect(ours.get(identity(object)), identity(object)).toMatchObject(object)
  expect(ours.size).toBe(expected.length + inner)
})

/** The rules of chains that belong to a rule: nft shows them in that rule. */
const inner = 2

/** The expressions of each rule, with the rule before it, as nft prints them: `inet t c 29 27`. */
async function debugged(namespace: NetNamespace): Promise<Map<string, string[]>> {
  const { stdout } = await inNamespace(namespace, ['nft', '--debug=netlink', 'list', 'ruleset'])
  const rules = new Map<string, string[]>()
  let lines: string[] = []
  for (const line of stdout.split('\n')) {
    if (/^\w+ \w+ \w+ \d+( \d+)?\s*$/.test(line)) {
      lines = []
      rules.set(line.trim(), lines)
    }
    const [, text] = /^ {2}\[ (.*?) *\]$/.exec(line) ?? []
    if (text !== undefined) lines.push(text)
  }
  return rules
}

test('every expression of every rule is printed as nft prints it, and rules name the one before', async () => {
  await using namespace = NetNamespace.create()
  await fill(namespace)
  await using nft = openNft({ namespace })
  const expected = await debugged(namespace)
  const rules = (await nft.list()).tables.flatMap(({ chains }) => chains.flatMap(chain => chain.rules))
  const ours = rules.map(({ table, chain, handle, after, expressions }) => {
    const place = [table.family, table.name, chain, handle, ...(after === undefined ? [] : [after])]
    return [place.join(' '), expressions.map(one => expressionText(one).trimEnd())] as const
  })
  expect(expected.size).toBeGreaterThan(50)
  expect(Object.fromEntries(ours)).toMatchObject(Object.fromEntries(expected))
  expect(rules.flatMap(({ expressions }) => expressions).filter(({ kind }) => kind === 'other')).toEqual([])
})

test("what nft 1.0.6's JSON leaves out is in a listing", async () => {
  await using namespace = NetNamespace.create()
  await fill(namespace)
  await using nft = openNft({ namespace })
  const { stdout } = await inNamespace(namespace, ['nft', 'list', 'ruleset'])
  const tables = Object.fromEntries((await nft.list()).tables.map(table => [table.name, table]))
  for (const said of ['comment "the table"', 'flags dynamic,timeout', 'auto-merge', 'comment "a chain"'])
    expect(stdout).toContain(said)
  expect(tables).toMatchObject({ t: { comment: 'the table' }, d: { dormant: true } })
  expect(tables.t?.chains).toMatchObject([
    { comment: 'a chain' },
    { comment: 'base' },
    { name: 'nat' },
    { anonymous: true },
  ])
  expect(tables.n?.chains).toMatchObject([{ devices: expect.arrayContaining(['a', 'b']), priority: -5 }])
  const sets = Object.fromEntries(tables.t!.sets.map(set => [set.name, set]))
  expect(sets).toMatchObject({
    dyn: { dynamic: true, timeouts: true },
    iv: { autoMerge: true },
    m: { anonymous: true, dynamic: true, size: 128 },
    mr: { ranges: true, elements: [{ value: { from: '1.2.3.4', to: '1.2.3.8' } }] },
  })
  expect(tables.t?.objects.find(({ name }) => name === 'cnt')).toMatchObject({ uses: 3 })
})

/** A listing without what the kernel gives: handles, names of sets and chains of one rule; and without expiries. */
function lasting(tables: readonly Table[]): unknown {
  const given = ['handle', 'after', 'expiresMs']
  const text = JSON.stringify(tables, (key, value) => {
    if (given.includes(key)) return undefined
    if (key === 'elements' && Array.isArray(value)) return sorted(value.map(each => JSON.parse(plain(each))))
    return typeof value === 'bigint' ? `${value}n` : value
  })
  const names = new Map<string, string>()
  const numbered = text.replace(/__(set|map|objmap|chain)\d+/g, name => {
    if (!names.has(name)) names.set(name, `#${names.size}`)
    return names.get(name)!
  })
  return JSON.parse(numbered)
}

const plain = (value: unknown) =>
  JSON.stringify(value, (key, each) => {
    if (key === 'expiresMs') return undefined
    return typeof each === 'bigint' ? `${each}n` : each
  })

async function restoreAll(nft: Nft, tables: readonly Table[]): Promise<void> {
  await nft.transaction(changes => {
    for (const table of tables) {
      changes.tables.remove(table)
      changes.tables.restore(table)
    }
  })
}

test('a listing that is written again gives the same listing, to nft as well', async () => {
  await using namespace = NetNamespace.create()
  await fill(namespace)
  await using nft = openNft({ namespace })
  const [before, nftBefore] = [await nft.list(), await theirs(namespace)]
  await restoreAll(nft, before.tables)
  expect(lasting((await nft.list()).tables)).toEqual(lasting(before.tables))
  const withoutHandles = (objects: Json[]) =>
    objects.map(object =>
      JSON.parse(JSON.stringify(object, (key, value) => (key === 'handle' ? undefined : value))),
    )
  expect(withoutHandles(await theirs(namespace))).toEqual(withoutHandles(nftBefore))
})
