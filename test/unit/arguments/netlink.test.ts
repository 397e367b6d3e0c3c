import { expect, test } from 'vitest'
import * as diag from '../../../src/diag/index.ts'
import * as genl from '../../../src/genl/index.ts'
import { controlMessage } from '../../../src/genl/wire/generic.ts'
import * as netlink from '../../../src/netlink/index.ts'
import { Connection, encoded, messages, NLM_F_DUMP } from '../../../src/netlink/index.ts'
import { FakeKernel } from '../../support/netlink-fake.ts'
import { type Call, survivesWrongArguments, untold } from './wrong.ts'

/** A kernel with the family `wireguard`, and nothing in any table. */
function connection(): Connection {
  const kernel = new FakeKernel()
  kernel.handler = request => {
    if ((request.flags & NLM_F_DUMP) === NLM_F_DUMP)
      return kernel.dump(request, { type: 0, body: { write: () => {} }, values: [] })
    if (request.type === 16) {
      const attributes = { id: 30, name: 'wireguard', groups: [{ name: 'events', id: 5 }] }
      kernel.reply(request, { type: 16, body: controlMessage, value: { command: 1, version: 2, attributes } })
    }
    kernel.ack({ ...request, flags: request.flags | 4 })
  }
  return new Connection(kernel)
}

const { attributes, u32, u8, text } = netlink
const table = attributes({ mtu: [4, u32], name: [3, text] })
const body = netlink.message({ family: u8 }, table)
const asking = { type: 18, op: 'list', target: 'links', body, value: { family: 0, attributes: { mtu: 5 } } }

const within =
  (act: (open: Connection, ...args: never[]) => unknown) =>
  async (...args: never[]) => {
    await using open = connection()
    await act(open, ...args)
  }
const through = async (generator: AsyncIterable<unknown>) => {
  for await (const _ of generator);
}
const read = ({ body }: netlink.Message) => body.left

const netlinkCalls: Readonly<Record<string, Call>> = {
  connect: { args: ['route', {}], needs: ['0'], call: netlink.connect },
  subscribe: {
    args: ['route', { groups: [1], read, receiveBuffer: 65536 }],
    needs: ['0', '1', '1.groups', '1.read'],
    call: async (protocol, options) => await netlink.subscribe(protocol, options).close(),
  },
  'Connection.request': {
    args: [asking],
    needs: ['0', '0.type', '0.body', '0.op'],
    call: within((open, one: never) => open.request(one)),
  },
  'Connection.batch': { args: [[asking]], needs: ['0'], call: within((open, all: never) => open.batch(all)) },
  'Connection.prepare': {
    args: [[asking]],
    needs: ['0'],
    call: within((open, all: never) => open.prepare(all)()),
  },
  'Connection.transaction': {
    args: [[{ ...asking, flags: 4 }, asking], read],
    needs: ['0', '1'],
    call: within((open, all: never, each: never) => open.transaction(all, each)),
  },
  'Connection.ask': {
    args: [asking, read],
    needs: ['0', '1'],
    call: within((open, one: never, each: never) => open.ask(one, each)),
  },
  'Connection.askEach': {
    args: [[asking], read],
    needs: ['0', '1'],
    call: within((open, all: never, each: never) => open.askEach(all, each)),
  },
  'Connection.dump': {
    args: [asking, read],
    needs: ['0', '1'],
    call: within((open, one: never, each: never) => through(open.dump(one, each))),
  },
  attributes: { args: [{ mtu: [4, u32] }], needs: ['0'], call: attributes },
  encoded: { args: [table, { mtu: 5, name: 'x' }], needs: ['0', '1'], call: encoded },
  decoded: { args: [u32, Uint8Array.of(1, 0, 0, 0)], needs: ['0', '1'], call: netlink.decoded },
  messages: {
    args: [new Uint8Array(16).fill(16, 0, 1)],
    needs: ['0'],
    call: (datagram: never) => [...messages(datagram)],
  },
  datagramOf: { args: [[asking]], needs: ['0'], call: netlink.datagramOf },
  request: {
    args: [body, {}, { type: 18, op: 'list' }],
    needs: ['0', '2', '2.type', '2.op'],
    call: netlink.request,
  },
  buildAtOnce: { args: [() => {}, {}, 'build'], needs: ['0'], call: netlink.buildAtOnce },
  struct: {
    args: [{ family: u8 }],
    needs: ['0'],
    call: fields => encoded(netlink.struct(fields), { family: 3 } as never),
  },
  message: { args: [{ family: u8 }, table], needs: ['0', '1'], call: netlink.message },
  nested: { args: [table], needs: ['0'], call: netlink.nested },
  when: { args: ['kind', 'x', table], needs: ['2'], call: netlink.when },
  repeated: {
    args: [u32],
    needs: ['0'],
    call: codec => encoded(attributes({ all: [3, netlink.repeated(codec)] }), { all: [3] }),
  },
  list: { args: [u32, 1], needs: ['0'], call: (codec, type) => encoded(netlink.list(codec, type), [3]) },
  growing: { args: [u32], needs: ['0'], call: netlink.growing },
}

const key = Buffer.alloc(32, 7).toString('base64')
const generic = (act: (open: genl.Generic, ...args: never[]) => unknown) =>
  within((open, ...args) => act(new genl.Generic(open), ...args))
const family = (act: (open: genl.FamilyCommands<object>, ...args: never[]) => unknown) =>
  within(async (open, ...args) =>
    act((await new genl.Generic(open).use('wireguard', table)) as genl.FamilyCommands<object>, ...args),
  )
const guard = (act: (open: genl.WireGuard, ...args: never[]) => unknown) =>
  within((open, ...args) => act(new genl.WireGuard(new genl.Generic(open)), ...args))
const command = { command: 3, op: 'list', target: 'x', attributes: { mtu: 5 } }

const genlCalls: Readonly<Record<string, Call>> = {
  openGeneric: { args: [{}], call: genl.openGeneric },
  openWireGuard: { args: [{}], call: genl.openWireGuard },
  'Generic.families': { args: [], call: generic(open => open.families()) },
  'Generic.family': {
    args: ['wireguard'],
    needs: ['0'],
    call: generic((open, name: never) => open.family(name)),
  },
  'Generic.use': {
    args: ['wireguard', table],
    needs: ['0', '1'],
    call: generic((open, name: never, codec: never) => open.use(name, codec)),
  },
  'Generic.subscribe': {
    args: ['wireguard', 'events', read],
    needs: ['0', '1', '2'],
    call: generic(
      async (open, ...args) =>
        await (await open.subscribe(...(args as unknown as ['', '', typeof read]))).close(),
    ),
  },
  'FamilyCommands.request': {
    args: [command],
    needs: ['0', '0.command', '0.op'],
    call: family((open, one: never) => open.request(one)),
  },
  'FamilyCommands.batch': {
    args: [[command]],
    needs: ['0'],
    call: family((open, all: never) => open.batch(all)),
  },
  'FamilyCommands.ask': {
    args: [command],
    needs: ['0', '0.command'],
    call: family((open, one: never) => open.ask(one)),
  },
  'FamilyCommands.dump': {
    args: [command],
    needs: ['0', '0.command'],
    call: family((open, one: never) => through(open.dump(one))),
  },
  'WireGuard.get': { args: ['wg0'], needs: ['0'], call: guard((open, name: never) => open.get(name)) },
  'WireGuard.set': {
    args: [
      'wg0',
      {
        privateKey: key,
        port: 5,
        peers: [
          {
            publicKey: key,
            endpoint: { address: '10.0.0.1', port: 7 },
            allowed: ['10.0.0.0/8'],
            keepalive: 5,
          },
        ],
      },
    ],
    needs: ['0', '1', '1.peers.0.publicKey', '1.peers.0.endpoint.port'],
    call: guard((open, name: never, spec: never) => open.set(name, spec)),
  },
}

const sockets = (act: (open: diag.Sockets, ...args: never[]) => unknown) =>
  within((open, ...args) => act(new diag.Sockets(open), ...args))
const end = { address: '10.0.0.1', port: 80 }

const diagCalls: Readonly<Record<string, Call>> = {
  openSockets: { args: [{}], call: diag.openSockets },
  'Sockets.list': {
    args: [{ protocol: 'tcp', family: 4, states: ['listen'] }],
    call: sockets((open, filter: never) => open.list(filter)),
  },
  'Sockets.listUnix': { args: [], call: sockets(open => open.listUnix()) },
  'Sockets.destroy': {
    args: [{ protocol: 'tcp', family: 4, local: end, remote: end, cookie: '5' }],
    needs: [
      '0',
      '0.protocol',
      '0.family',
      '0.local',
      '0.remote',
      '0.cookie',
      '0.local.address',
      '0.local.port',
    ],
    call: sockets((open, socket: never) => open.destroy(socket)),
  },
}

test('every call of netlink tells what is wrong with its arguments', () =>
  survivesWrongArguments(netlinkCalls))
test('every call of genl tells what is wrong with its arguments', () => survivesWrongArguments(genlCalls))
test('every call of diag tells what is wrong with its arguments', () => survivesWrongArguments(diagCalls))

const shared = ['NetlinkError', 'NetNamespace.close']

test('no call of netlink, genl and diag is left out', () => {
  const plumbing = [
    'beginMessage',
    'endMessage',
    'writeMessage',
    'readAck',
    'readDone',
    'writeAck',
    'inRange',
    'outOfRange',
  ]
  const ofReaders = ['Reader', 'Writer', 'Subscription', 'NetNamespace', 'DecodeError', 'EncodeError']
  const left = untold(netlink, netlinkCalls, [...shared, ...plumbing]).filter(
    name => !ofReaders.some(one => name.startsWith(`${one}.`)),
  )
  expect(left).toEqual(['Connection.close'])
  expect(untold(genl, genlCalls, shared)).toEqual(['Generic.close', 'WireGuard.close'])
  expect(untold(diag, diagCalls, shared)).toEqual(['Sockets.close'])
})
