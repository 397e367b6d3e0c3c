import { expect, test } from 'vitest'
import { Connection, NLM_F_DUMP } from '../../../src/netlink/index.ts'
import * as nft from '../../../src/nft/index.ts'
import { FakeKernel } from '../../support/netlink-fake.ts'
import { type SamplesOf, takenWords, unsent } from './words.ts'

const table = { family: 'inet', name: 't' } as const
const chain = { table, name: 'c' } as const
const set = { table, name: 's', type: 'ipv4_addr' } as const
const pair = { table, name: 's', type: ['ipv4_addr', 'inet_service'] } as const
const object = { table, name: 'o' } as const
const base = { ...chain, hook: 'input', type: 'nat', policy: 'accept', priority: 'filter' } as const
const rule = { table, chain: 'c', statements: [nft.accept()], handle: 3n } as const

const family = { '0.table.family': [chain] } as const
const chainWords = {
  '0.table.family': [chain],
  '0.hook': [base],
  '0.type': [base],
  '0.policy': [base],
  '0.priority': [base],
} as const
const helper = { type: 'ct helper', helper: 'ftp', protocol: 'tcp', family: 'ip6' } as const
const rate = { type: 'limit', rate: 3, per: 'hour', unit: 'bytes' } as const
const objectWords = {
  '0.table.family': [{ ...object, type: 'counter' }],
  '0.type': [{ ...object, type: 'counter' }],
  '0.protocol': [{ ...object, ...helper }],
  '0.family': [{ ...object, ...helper }],
  '0.per': [{ ...object, ...rate }],
  '0.unit': [{ ...object, ...rate }],
} as const
const typeWords = {
  '0.table.family': [{ ...set, elements: [] }],
  '0.type': [{ ...set, elements: [] }],
  '0.type.0': [{ ...pair, elements: [] }],
} as const
const mapWords = {
  '0.table.family': [{ ...set, to: 'verdict', elements: [] }],
  '0.type': [{ ...set, to: 'verdict', elements: [] }],
  '0.type.0': [{ ...pair, to: 'verdict', elements: [] }],
  '0.to': [{ ...set, to: 'counter', elements: [] }],
} as const
const policy = [{ ...set, to: 'verdict', policy: 'memory' }] as const

const listed = { handle: 1n, dormant: false, chains: [], sets: [], objects: [], flowtables: [] } as const
const named = { name: 'x', handle: 2n, uses: 0 } as const
const listedChain = {
  ...named,
  hook: 'input',
  type: 'nat',
  policy: 'accept',
  priority: 0,
  rules: [],
} as const
const listedSet = { ...named, keyLength: 4, interval: false, anonymous: false, elements: [] } as const
const ofObject = (kind: nft.ObjectKind) =>
  [{ ...table, ...listed, objects: [{ ...named, ...kind }] }] as const
const ofSet = (kind: Pick<nft.NftSet, 'type' | 'to' | 'policy'>) =>
  [{ ...table, ...listed, sets: [{ ...listedSet, ...kind }] }] as const

/** For each change, and each place of its arguments where a word stands. The compiler asks for all of them. */
const changes: { readonly [Noun in keyof nft.Transaction]: SamplesOf<nft.Transaction[Noun]> } = {
  tables: {
    add: { '0.family': [table] },
    create: { '0.family': [table] },
    replace: { '0.family': [table] },
    flush: { '0.family': [table] },
    remove: { '0.family': [table] },
    removeAll: { '0': ['inet'] },
    restore: {
      '0.family': [{ ...table, ...listed }],
      '0.chains.0.hook': [{ ...table, ...listed, chains: [listedChain] }],
      '0.chains.0.policy': [{ ...table, ...listed, chains: [listedChain] }],
      '0.objects.0.type': ofObject({ type: 'counter' }),
      '0.objects.0.protocol': ofObject(helper),
      '0.objects.0.family': ofObject(helper),
      '0.objects.0.per': ofObject(rate),
      '0.objects.0.unit': ofObject(rate),
      '0.sets.0.type': ofSet({ type: 'ipv4_addr' }),
      '0.sets.0.type.0': ofSet({ type: ['ipv4_addr', 'inet_service'] }),
      '0.sets.0.to': ofSet({ type: 'ipv4_addr', to: 'counter' }),
      '0.sets.0.to.0': ofSet({ type: 'ipv4_addr', to: ['ipv4_addr', 'inet_service'] }),
      '0.sets.0.policy': ofSet({ type: 'ipv4_addr', policy: 'memory' }),
    },
  },
  chains: {
    add: chainWords,
    create: chainWords,
    flush: family,
    remove: family,
    rename: { '0.table.family': [{ ...chain, handle: 3n }] },
  },
  rules: {
    add: { '0.table.family': [rule] },
    replace: { '0.table.family': [rule] },
    remove: { '0.table.family': [rule] },
  },
  sets: {
    add: { ...typeWords, '0.policy': policy },
    addMap: { ...mapWords, '0.policy': policy },
    addElements: typeWords,
    removeElements: typeWords,
    addEntries: mapWords,
    flush: family,
    remove: family,
  },
  objects: {
    add: objectWords,
    create: objectWords,
    remove: {
      '0.table.family': [{ ...object, type: 'counter' }],
      '0.type': [{ ...object, type: 'counter' }],
    },
  },
  flowtables: {
    add: {
      '0.table.family': [{ table, name: 'f', devices: [], priority: 'filter' }],
      '0.priority': [{ table, name: 'f', devices: [], priority: 'filter' }],
    },
    remove: family,
  },
}

const limit = { rate: 3, per: 'hour', unit: 'bytes' } as const
const dnat = {
  address: nft.map(nft.match.tcp.dport, { set: 's' }),
  port: 'mapped',
  random: 'fully',
  version: 4,
} as const
const translation = { '0.port': [dnat], '0.random': [dnat] } as const
const kernelLog = { level: 'crit', details: ['skuid'] } as const

/** The same of the functions that make statements. `expressionText` sends nothing: it prints. */
const statements: Omit<SamplesOf<typeof nft>, 'expressionText'> = {
  dnat: translation,
  snat: translation,
  masquerade: { '0.random': [{ random: 'fully' }] },
  redirect: { '0.random': [{ random: 'fully' }] },
  limit: { '0.per': [limit], '0.unit': [limit] },
  log: { '0.level': [kernelLog], '0.details': [{ details: 'all' }], '0.details.0': [kernelLog] },
  reject: {
    '0': ['admin-prohibited'],
    '0.icmp': [{ icmp: 'net-prohibited' }],
    '0.icmpv6': [{ icmpv6: 'reject-route' }],
  },
  setCtZone: { '1': [5, 'original'] },
  setMaxSegment: { '0': ['route'] },
  useObject: { '0': ['counter', 'web'] },
  expressionsOf: { '0': ['inet', [nft.accept()]] },
}

/** And of the fields that a match can have. */
const { match } = nft
const fields: SamplesOf<Pick<typeof match, 'numgen' | 'route'>> = {
  numgen: { '0': ['random', 3] },
  route: { '0.0': [['saddr'], 'oifname'], '1': [['saddr'], 'oifname'] },
}

/** And of listings. */
const listings: SamplesOf<nft.Nft> = {
  list: { '0.family': [table] },
  findElements: {
    '0.table.family': [{ ...set, keys: [] }],
    '0.type': [{ ...set, keys: [] }],
    '0.type.0': [{ ...pair, keys: [] }],
  },
  resetObjects: { '0.table.family': [{ table, type: 'counter' }], '0.type': [{ table, type: 'counter' }] },
  resetRules: { '0.table.family': [{ table }] },
  resetElements: family,
}

type Call = (...args: unknown[]) => unknown

async function asked(build: (open: nft.Nft) => unknown): Promise<void> {
  const kernel = new FakeKernel()
  kernel.handler = request =>
    (request.flags & NLM_F_DUMP) === NLM_F_DUMP
      ? kernel.dump(request, { type: 0, body: { write: () => {} }, values: [] })
      : kernel.ack({ ...request, flags: request.flags | 4 })
  await using open = new nft.Nft(new Connection(kernel))
  await unsent(
    () => build(open),
    () => kernel.sends.length,
  )
}

async function allTaken(
  samples: object,
  call: (name: string, args: readonly unknown[]) => Promise<void>,
): Promise<string[]> {
  const failures: string[] = []
  for (const [name, places] of Object.entries(samples))
    failures.push(...(await takenWords({ name, call: args => call(name, args) }, places)))
  return failures
}

test('words that changes of nft do not know are refused before anything is sent', async () => {
  for (const [noun, verbs] of Object.entries(changes)) {
    const call = (verb: string, args: readonly unknown[]) =>
      asked(open =>
        open.transaction(transaction => {
          const part = transaction[noun as keyof nft.Transaction] as unknown as Record<string, Call>
          part[verb]!(...args)
        }),
      )
    expect(await allTaken(verbs, call)).toEqual([])
  }
})

/** Behind matches that statements can need. */
const inRule = (made: unknown) =>
  asked(open =>
    open.transaction(({ rules }) =>
      rules.add({ ...rule, statements: [match.l4proto('tcp'), made as nft.Statement] }),
    ),
  )

test('words that statements of nft do not know are refused', async () => {
  const made = nft as unknown as Readonly<Record<string, Call>>
  const call = async (name: string, args: readonly unknown[]) => {
    const result = made[name]!(...args)
    if (name !== 'expressionsOf') await inRule(result)
  }
  expect(await allTaken(statements, call)).toEqual([])
})

test('words that matches of nft do not know are refused', async () => {
  const made = match as unknown as Readonly<Record<string, (...args: unknown[]) => Call>>
  const call = (name: string, args: readonly unknown[]) =>
    inRule(made[name]!(...args)(name === 'numgen' ? 1 : 'eth0'))
  expect(await allTaken(fields, call)).toEqual([])
})

test('words that listings of nft do not know are refused before anything is sent', async () => {
  const call = (name: string, args: readonly unknown[]) =>
    asked(open => (open as unknown as Readonly<Record<string, Call>>)[name]!(...args))
  expect(await allTaken(listings, call)).toEqual([])
})

test('raw expressions with an unknown kind or word are refused with what is possible', async () => {
  const raw = (expression: object) => inRule(nft.raw(expression as nft.Expression))
  await expect(raw({ kind: 'toString' })).rejects.toThrow(
    /expressions\.2\.kind: 'toString' is not one of immediate, .*, other$/,
  )
  await expect(raw({ kind: 'meta', key: 'marks', destination: 1 })).rejects.toThrow(
    /meta\.key: 'marks' is neither a number nor one of len, protocol, priority, mark, /,
  )
})
