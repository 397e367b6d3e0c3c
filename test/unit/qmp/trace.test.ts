import { afterEach, beforeEach, expect, test } from 'vitest'
import { connectAgent, connectQmp, type QmpTraceValue } from '../../../src/qmp/index.ts'
import { withoutSecrets } from '../../../src/qmp/without-secrets.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { FakeQemu, type MemoryPort, portPair } from '../../support/qmp-fake.ts'
import { Traces } from '../../support/traces.ts'

let port: MemoryPort
let qemu: FakeQemu
let clock: ManualClock
let traces: Traces<QmpTraceValue>

beforeEach(() => {
  const [ours, theirs] = portPair()
  port = ours
  qemu = new FakeQemu(theirs)
  clock = new ManualClock()
  traces = new Traces('qmp')
})
afterEach(async () => {
  traces[Symbol.dispose]()
  await port.close()
})

const monitor = async () => {
  const [client] = await Promise.all([
    connectQmp(port, { clock, timeoutMs: 1000, peer: 'vm-001' }),
    qemu.welcome(),
  ])
  return client
}

test('a monitor’s greeting, commands, replies and events are traced, with ids and durations', async () => {
  const client = await monitor()
  const [one, two] = [client.execute('query-status'), client.execute('set_link', { name: 'nic0', up: false })]
  const [first, second] = [await qemu.next(), await qemu.next()]
  clock.pass(3)
  qemu.event('NIC_RX_FILTER_CHANGED', { name: 'nic0' })
  qemu.reply(first, { running: true, status: 'running' })
  qemu.refuse(second, "Device 'nic0' not found")
  await one
  await expect(two).rejects.toMatchObject({ code: 'QMP_COMMAND' })
  expect(traces.messages.map(({ area, at: _, ...told }) => told).slice(5)).toEqual([
    { direction: 'sent', peer: 'vm-001 monitor', what: 'query-status', value: {} },
    {
      direction: 'sent',
      peer: 'vm-001 monitor',
      what: 'set_link',
      value: { id: second.id, arguments: { name: 'nic0', up: false } },
    },
    {
      direction: 'received',
      peer: 'vm-001 monitor',
      what: 'NIC_RX_FILTER_CHANGED',
      value: { data: { name: 'nic0' } },
    },
    {
      direction: 'received',
      peer: 'vm-001 monitor',
      what: 'query-status',
      ms: 3,
      value: { return: { running: true, status: 'running' } },
    },
    {
      direction: 'received',
      peer: 'vm-001 monitor',
      what: 'set_link',
      ms: 3,
      value: { id: second.id, error: { class: 'GenericError', reason: "Device 'nic0' not found" } },
    },
  ])
  expect(traces.words.slice(0, 5)).toEqual([
    ['received', 'greeting'],
    ['sent', 'qmp_capabilities'],
    ['received', 'qmp_capabilities'],
    ['sent', 'query-status'],
    ['received', 'query-status'],
  ])
})

test('the trace of a QMP command has its number of descriptors, and marks out-of-band execution', async () => {
  const client = await monitor()
  const sent = client.execute('getfd', { fdname: 'state' }, { fds: [0] })
  qemu.reply(await qemu.next())
  await sent
  const urgent = client.execute('migrate-pause', undefined, { oob: true })
  const asked = await qemu.next()
  qemu.reply(asked)
  await urgent
  expect(traces.messages.filter(({ direction }) => direction === 'sent').slice(2)).toMatchObject([
    { what: 'getfd', value: { arguments: { fdname: 'state' }, descriptors: 1 } },
    { what: 'migrate-pause', value: { id: asked.id, outOfBand: true } },
  ])
})

test('a QMP timeout, a late reply, a malformed line and the end of the connection are traced', async () => {
  const client = await monitor()
  const lost = client.execute('stop', undefined, { timeoutMs: 10 })
  const asked = await qemu.next()
  clock.pass(10)
  await expect(lost).rejects.toMatchObject({ code: 'QMP_TIMEOUT' })
  qemu.reply(asked)
  await qemu.delivered()
  qemu.say({ return: 1, id: 500 })
  qemu.raw('nonsense\n')
  expect(await client.closed).toMatchObject({ code: 'QMP_MALFORMED' })
  expect(traces.words.slice(6)).toEqual([
    ['noted', 'no answer in time to stop'],
    ['received', 'stop'],
    ['received', 'reply without a command'],
    ['received', 'garbled'],
    ['noted', 'closed'],
  ])
})

test('a guest agent is traced in the area qmp, with sizes in place of input and output of programs', async () => {
  const opening = connectAgent(port, { clock, timeoutMs: 1000, peer: 'vm-001' })
  const sync = await qemu.next()
  qemu.reply(sync, sync.arguments?.id)
  const agent = await opening
  const secret = Buffer.from('-----BEGIN OPENSSH PRIVATE KEY-----')
  const running = agent.exec(['tee', '/etc/ssh/key'], { input: secret, env: { TOKEN: 'hunter2' } })
  qemu.reply(await qemu.next(), { pid: 5 })
  qemu.reply(await qemu.next(), { exited: true, exitcode: 0, 'out-data': secret.toString('base64') })
  expect(Buffer.from((await running).stdout)).toEqual(secret)
  const size = `${secret.toString('base64').length} characters, not shown`
  expect(traces.messages.slice(2)).toMatchObject([
    {
      peer: 'vm-001 agent',
      what: 'guest-exec',
      value: {
        arguments: {
          path: 'tee',
          arg: ['/etc/ssh/key'],
          'input-data': size,
          env: ['PATH=…', 'TOKEN=…'],
        },
      },
    },
    { what: 'guest-exec', value: { return: { pid: 5 } } },
    { what: 'guest-exec-status', value: { arguments: { pid: 5 } } },
    { what: 'guest-exec-status', value: { return: { exited: true, exitcode: 0, 'out-data': size } } },
  ])
  const all = traces.lines.join('\n')
  for (const leak of ['hunter2', secret.toString('base64'), 'PRIVATE']) expect(all).not.toContain(leak)
})

test('the traces of passwords and secret objects have only their size, and endless nesting is cut', () => {
  const object = { 'qom-type': 'secret', id: 's', data: 'hunter2' }
  expect(withoutSecrets({ password: 'hunter2', nested: [object], 'buf-b64': 7 })).toEqual({
    password: '7 characters, not shown',
    nested: [{ ...object, data: '7 characters, not shown' }],
    'buf-b64': 'not shown',
  })
  const deep = JSON.parse(`${'[{"a":'.repeat(50_000)}1${'}]'.repeat(50_000)}`)
  expect(JSON.stringify(withoutSecrets(deep))).toContain('…')
})

test('a trace is JSON, also of bigints, which are their digits in it', async () => {
  const client = await monitor()
  const done = client.execute('qom-set', { path: '/objects/io', property: 'poll-max-ns', value: 2n ** 62n })
  qemu.reply(await qemu.next())
  await done
  const asking = client.execute('qom-get', { path: '/objects/io', property: 'poll-max-ns' })
  const { id } = await qemu.next()
  qemu.raw(`{"return": 4611686018427387904, "id": ${id}}\r\n`)
  expect(await asking).toBe(2n ** 62n)
  const values = traces.messages.map(({ value }) => JSON.parse(JSON.stringify(value)))
  expect(values.at(-4)).toMatchObject({ arguments: { value: '4611686018427387904' } })
  expect(values.at(-1)).toMatchObject({ return: '4611686018427387904' })
})
