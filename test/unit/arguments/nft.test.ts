import { expect, test } from 'vitest'
import { Connection, NLM_F_DUMP } from '../../../src/netlink/index.ts'
import * as nft from '../../../src/nft/index.ts'
import { FakeKernel } from '../../support/netlink-fake.ts'
import { type Call, survivesWrongArguments, untold } from './wrong.ts'

type Noun = keyof nft.Transaction
type Verbs = Readonly<Record<string, (...args: unknown[]) => unknown>>

/** A change, as messages for another machine. */
function change(
  name: `${Noun}.${string}`,
  args: readonly unknown[],
  needs: readonly string[] = [],
): [string, Call] {
  const [noun, verb] = name.split('.') as [Noun, string]
  const call = (...given: unknown[]) =>
    nft.transactionBytes(transaction => {
      ;(transaction[noun] as unknown as Verbs)[verb]!(...given)
    })
  return [
    `${noun}.${verb} ${JSON.stringify(args, (_, value) => (typeof value === 'bigint' ? `${value}n` : value)).slice(0, 60)}`,
    { args, needs, call },
  ]
}

const table = { family: 'inet', name: 't' } as const
const chain = { table, name: 'c' }
const set = { table, name: 's' }
const { match } = nft

const changes = Object.fromEntries([
  change('tables.add', [{ ...table, comment: 'c', owner: true }], ['0', '0.family', '0.name']),
  change('tables.create', [table], ['0.name']),
  change('tables.replace', [table], ['0.name']),
  change(
    'tables.restore',
    [{ ...table, handle: 1n, chains: [], sets: [], objects: [], flowtables: [] }],
    ['0', '0.chains'],
  ),
  change('tables.remove', [table, { ifExists: true }], ['0', '0.family']),
  change('tables.remove', [{ family: 'ip', handle: 3n }], ['0.handle']),
  change('tables.removeAll', ['ip']),
  change('tables.flush', [table], ['0', '0.name']),
  change(
    'chains.add',
    [{ ...chain, type: 'filter', hook: 'input', priority: 'filter', policy: 'drop', comment: 'c' }],
    ['0', '0.table', '0.name'],
  ),
  change(
    'chains.create',
    [
      {
        table: { family: 'netdev', name: 't' },
        name: 'c',
        hook: 'ingress',
        devices: ['a', 'b'],
        priority: 3,
      },
    ],
    ['0.table.name'],
  ),
  change('chains.rename', [{ ...chain, handle: 3n }], ['0', '0.handle']),
  change('chains.remove', [chain, { ifExists: true }], ['0', '0.table']),
  change('chains.remove', [{ table, handle: 3n }], ['0.handle']),
  change('chains.flush', [chain], ['0.name']),
  change(
    'rules.add',
    [{ table, chain: 'c', statements: [match.tcp.dport(22), nft.accept()], comment: 'c', after: 4n }],
    ['0', '0.table', '0.chain', '0.statements'],
  ),
  change('rules.replace', [{ table, chain: 'c', handle: 3n, statements: [nft.drop()] }], ['0.handle']),
  change('rules.remove', [{ table, chain: 'c', handle: 3n }], ['0', '0.table', '0.handle']),
  change(
    'sets.add',
    [
      {
        ...set,
        type: 'ipv4_addr',
        interval: true,
        elements: [
          '10.0.0.0/8',
          { key: nft.range('1.0.0.0', '1.0.0.9'), timeoutMs: 5, comment: 'c', statements: [nft.counter()] },
        ],
        timeouts: true,
        size: 9,
      },
    ],
    ['0', '0.table', '0.name', '0.type'],
  ),
  change(
    'sets.add',
    [
      {
        ...set,
        type: ['ipv4_addr', 'inet_service'],
        elements: [['10.0.0.1', 80]],
        timeoutMs: 1000,
        gcIntervalMs: 9,
        policy: 'memory',
      },
    ],
    ['0.type'],
  ),
  change(
    'sets.addMap',
    [
      {
        ...set,
        type: 'inet_service',
        to: 'verdict',
        elements: [[22, nft.accept()], { key: '*', value: nft.drop() }],
      },
    ],
    ['0.type', '0.to'],
  ),
  change('sets.addMap', [{ ...set, type: 'ifname', to: 'counter', elements: [['eth0', 'web']] }], ['0.to']),
  change(
    'sets.addElements',
    [{ ...set, type: 'inet_service', elements: [80, 443] }],
    ['0', '0.table', '0.name', '0.type', '0.elements'],
  ),
  change(
    'sets.addEntries',
    [{ ...set, type: 'inet_service', to: 'mark', elements: [[80, 7]] }],
    ['0.type', '0.to', '0.elements'],
  ),
  change(
    'sets.removeElements',
    [{ ...set, type: 'inet_service', elements: [80] }, { ifExists: true }],
    ['0', '0.type', '0.elements'],
  ),
  change('sets.remove', [set, { ifExists: true }], ['0', '0.name']),
  change('sets.flush', [set], ['0.name']),
  change(
    'objects.add',
    [{ table, name: 'o', type: 'counter', packets: 3n, comment: 'c' }],
    ['0', '0.type', '0.name'],
  ),
  change('objects.add', [{ table, name: 'o', type: 'quota', bytes: 3n }], ['0.bytes']),
  change('objects.add', [{ table, name: 'o', type: 'limit', rate: 3, per: 'second' }], ['0.rate', '0.per']),
  change('objects.add', [{ table, name: 'o', type: 'connlimit', count: 3 }]),
  change(
    'objects.add',
    [{ table, name: 'o', type: 'ct helper', helper: 'ftp', protocol: 'tcp' }],
    ['0.protocol'],
  ),
  change(
    'objects.add',
    [{ table, name: 'o', type: 'ct timeout', protocol: 'tcp', policy: { established: 5 } }],
    ['0.policy'],
  ),
  change('objects.add', [
    { table, name: 'o', type: 'ct expectation', protocol: 'udp', port: 9, timeoutMs: 5, size: 3 },
  ]),
  change('objects.create', [{ table, name: 'o', type: 'synproxy', mss: 1460, windowScale: 7 }]),
  change('objects.create', [{ table, name: 'o', type: 'secmark', context: 'x' }]),
  change('objects.remove', [{ table, name: 'o', type: 'counter' }, { ifExists: true }], ['0', '0.type']),
  change(
    'flowtables.add',
    [{ table, name: 'f', devices: ['eth0'], priority: 0 }],
    ['0', '0.table', '0.devices'],
  ),
  change('flowtables.remove', [{ table, name: 'f' }, { ifExists: true }], ['0.name']),
])

type Maker = (...args: never[]) => { write(draft: never): void }

/** A statement, as part of a rule that can have it. */
function statement(make: Maker, args: readonly unknown[], needs: readonly string[] = []): Call {
  const call = (...given: never[]) =>
    nft.expressionsOf('ip', [match.ip.protocol('tcp'), make(...given) as never])
  return { args, needs, call }
}

const element = { set: 's', key: match.ip.saddr }
const field = (name: string, matcher: unknown, values: readonly unknown[]): [string, Call] => [
  `match ${name}`,
  {
    args: values,
    call: (...given) => nft.expressionsOf('inet', [(matcher as (...values: never[]) => never)(...given)]),
  },
]

const statements: Readonly<Record<string, Call>> = {
  accept: statement(nft.accept, []),
  drop: statement(nft.drop, []),
  proceed: statement(nft.proceed, []),
  back: statement(nft.back, []),
  notrack: statement(nft.notrack, []),
  lastUsed: statement(nft.lastUsed, []),
  saveMark: statement(nft.saveMark, []),
  restoreMark: statement(nft.restoreMark, []),
  jump: statement(nft.jump, ['c'], ['0']),
  goto: statement(nft.goto, ['c'], ['0']),
  raw: statement(nft.raw, [{ kind: 'counter' }, { kind: 'meta', key: 'mark', destination: 1 }]),
  counter: statement(nft.counter, [{ packets: 3n, bytes: 4n }]),
  quota: statement(nft.quota, [{ bytes: 3n, used: 1n, over: true }], ['0', '0.bytes']),
  connectionCount: statement(nft.connectionCount, [{ count: 3 }], ['0', '0.count']),
  limit: statement(nft.limit, [{ rate: 3, per: 'second', burst: 4 }], ['0', '0.rate', '0.per']),
  concat: statement(
    (one: typeof match.ip.saddr, other: typeof match.tcp.dport) => nft.concat(one, other)(['10.0.0.1', 80]),
    [match.ip.saddr, match.tcp.dport],
    ['0', '1'],
  ),
  queue: statement(nft.queue, [{ to: nft.range(1, 4), bypass: true }], ['0', '0.to']),
  'queue by a field': statement(nft.queue, [{ to: match.symhash({ modulus: 4 }) }]),
  tproxy: statement(nft.tproxy, [{ address: '10.0.0.1', port: 3 }], ['0']),
  dup: statement(nft.dup, [{ address: '10.0.0.1', device: 3 }], ['0']),
  forward: statement(nft.forward, [{ device: 3, address: '10.0.0.1' }], ['0', '0.device']),
  synproxy: statement(nft.synproxy, [{ mss: 1460, windowScale: 7 }], ['0']),
  addFlow: statement(nft.addFlow, ['f'], ['0']),
  addToSet: statement(
    nft.addToSet,
    [{ ...element, timeoutMs: 5, statements: [nft.counter()] }],
    ['0', '0.set', '0.key'],
  ),
  updateSet: statement(nft.updateSet, [{ ...element, value: match.tcp.dport }], ['0.key']),
  removeFromSet: statement(nft.removeFromSet, [element], ['0.set']),
  meter: statement(
    nft.meter,
    [
      {
        name: 'm',
        key: match.ip.saddr,
        statement: nft.limit({ rate: 3, per: 'second' }),
        size: 9,
        timeoutMs: 3,
      },
    ],
    ['0', '0.name', '0.key', '0.statement'],
  ),
  log: statement(nft.log, [{ prefix: 'p', group: 3, snapLength: 5 }]),
  'log to the kernel': statement(nft.log, [{ level: 'info', details: ['ether', 'skuid'] }]),
  'rewrite ip dscp': statement(nft.rewrite.ip.dscp, [46], ['0']),
  'rewrite tcp dport': statement(nft.rewrite.tcp.dport, [match.tcp.sport], ['0']),
  'rewrite ip saddr': statement(nft.rewrite.ip.saddr, ['10.0.0.1'], ['0']),
  setMark: statement(nft.setMark, [7], ['0']),
  setPriority: statement(nft.setPriority, [7], ['0']),
  setCtMark: statement(nft.setCtMark, [match.jhash(match.ip.saddr, { modulus: 3 })], ['0']),
  setCtZone: statement(nft.setCtZone, [7, 'original'], ['0']),
  trace: statement(nft.trace, [true]),
  masquerade: statement(nft.masquerade, [{ port: nft.range(1, 5), random: true }]),
  redirect: statement(nft.redirect, [{ port: 8080 }]),
  dnat: statement(nft.dnat, [{ address: '10.0.0.1', port: 80 }], ['0', '0.address']),
  snat: statement(
    nft.snat,
    [{ address: nft.range('10.0.0.1', '10.0.0.9'), persistent: true }],
    ['0.address'],
  ),
  'dnat by a map': statement(nft.dnat, [
    { address: nft.map(match.tcp.dport, [[80, '10.0.0.1']]), version: 4 },
  ]),
  reject: statement(nft.reject, [{ icmp: 'host-unreachable' }]),
  setMaxSegment: statement(nft.setMaxSegment, [1400], ['0']),
  useObject: statement(nft.useObject, ['counter', 'web'], ['0', '1']),
  verdictMap: statement(nft.verdictMap, [match.tcp.dport, [[22, nft.accept()]]], ['0', '1']),
  map: statement(
    (matcher, entries) => nft.dnat({ address: nft.map(matcher, entries) }),
    [match.tcp.dport, [[22, '10.0.0.1']]],
    ['0', '1'],
  ),
  not: statement(nft.not, [match.tcp.dport(22)], ['0']),
  range: {
    args: [1, 5],
    call: (from, to) => nft.expressionsOf('ip', [match.tcp.dport(nft.range(from, to))]),
  },
  bits: {
    args: [[1], [3]],
    call: (value, mask) => nft.expressionsOf('ip', [match.mark(nft.bits(value, mask))]),
  },
  inSet: {
    args: ['s'],
    needs: ['0'],
    call: name => nft.expressionsOf('ip', [match.ip.saddr(nft.inSet(name))]),
  },
  expressionsOf: { args: ['ip', [nft.accept()]], needs: ['0', '1'], call: nft.expressionsOf },
  expressionText: { args: [{ kind: 'counter', packets: 3n }], needs: ['0'], call: nft.expressionText },
  masqueradeBatch: {
    args: [{ table: 't', outDev: 'eth0', sources: ['10.0.0.0/8'] }],
    needs: ['0', '0.table', '0.sources'],
    call: nft.masqueradeBatch,
  },
  transactionBytes: {
    args: [({ tables }: nft.Transaction) => tables.add(table)],
    needs: ['0'],
    call: nft.transactionBytes,
  },
  ...Object.fromEntries([
    field('ip saddr', match.ip.saddr, ['10.0.0.1', nft.range('10.0.0.1', '10.0.0.4')]),
    field('ip6 daddr', match.ip6.daddr, ['fd00::1']),
    field('tcp dport', match.tcp.dport, [22, nft.range(1, 5)]),
    field('tcp flags', match.tcp.flags, ['syn', 'ack']),
    field('ct state', match.ct.state, ['established']),
    field('iifname', match.iifname, ['eth0', 'eth*']),
    field('ether saddr', match.ether.saddr, ['00:00:00:01:00:01']),
    field('mark', match.mark, [nft.bits(1, 3)]),
  ]),
  'match route': {
    args: [['saddr', 'iif'], 'oif'],
    needs: ['0', '1'],
    call: (by, result) => nft.expressionsOf('ip', [match.route(by, result)(0 as never)]),
  },
  'match jhash': {
    args: [match.ip.saddr, { modulus: 3, seed: 5 }],
    needs: ['0', '1', '1.modulus'],
    call: (of, hash) => nft.expressionsOf('ip', [match.jhash(of, hash)(1)]),
  },
  'match symhash': {
    args: [{ modulus: 3 }],
    needs: ['0', '0.modulus'],
    call: hash => nft.expressionsOf('ip', [match.symhash(hash)(1)]),
  },
  'match numgen': {
    args: ['inc', 3, 0],
    call: (mode, modulus, offset) => nft.expressionsOf('ip', [match.numgen(mode, modulus, offset)(1)]),
  },
}

const within =
  (act: (open: nft.Nft, ...args: never[]) => unknown) =>
  async (...args: never[]) => {
    const kernel = new FakeKernel()
    kernel.handler = request =>
      (request.flags & NLM_F_DUMP) === NLM_F_DUMP
        ? kernel.dump(request, { type: 0, body: { write: () => {} }, values: [] })
        : kernel.ack({ ...request, flags: request.flags | 4 })
    await using open = new nft.Nft(new Connection(kernel))
    await act(open, ...args)
  }

const calls: Readonly<Record<string, Call>> = {
  openNft: { args: [{}], call: nft.openNft },
  monitorNft: {
    args: [{ receiveBuffer: 65536 }],
    call: async (...args) => await (await nft.monitorNft(...(args as []))).close(),
  },
  tracePackets: {
    args: [{ receiveBuffer: 65536 }],
    call: async (...args) => await nft.tracePackets(...(args as [])).close(),
  },
  'Nft.transaction': {
    args: [({ tables }: nft.Transaction) => tables.add(table)],
    needs: ['0'],
    call: within((open, build: never) => open.transaction(build)),
  },
  'Nft.list': {
    args: [{ family: 'ip', table: 't', elements: false }],
    call: within((open, filter: never) => open.list(filter)),
  },
  'Nft.findElements': {
    args: [{ ...set, type: 'inet_service', keys: [80] }],
    needs: ['0', '0.type', '0.keys'],
    call: within((open, query: never) => open.findElements(query)),
  },
  'Nft.resetObjects': {
    args: [{ table, type: 'counter' }],
    call: within((open, filter: never) => open.resetObjects(filter)),
  },
  'Nft.resetRules': {
    args: [{ table, chain: 'c' }],
    call: within((open, filter: never) => open.resetRules(filter)),
  },
  'Nft.resetElements': {
    args: [set],
    needs: ['0', '0.table', '0.name'],
    call: within((open, ref: never) => open.resetElements(ref)),
  },
}

test(
  'every change of nft tells what is wrong with its arguments',
  () => survivesWrongArguments(changes),
  60_000,
)
test(
  'every statement of nft tells what is wrong with its arguments',
  () => survivesWrongArguments(statements),
  60_000,
)
test('every call of nft tells what is wrong with its arguments', () => survivesWrongArguments(calls), 60_000)

test('no call of nft is left out', () => {
  const known = ['NetlinkError', 'NftError', 'NetNamespace.close', 'Nft.close']
  expect(untold(nft, { ...statements, ...calls }, known)).toEqual([])
})

test('elements without a type are refused in one sentence', () => {
  const add = () => nft.transactionBytes(({ sets }) => sets.addElements({ ...set, elements: [80] } as never))
  expect(add).toThrow(
    "add elements: type is absent, not a type of values such as 'ipv4_addr', or a list of several. Correct the call.",
  )
})
