import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { connectQmp, QmpClient } from '../../../src/qmp/index.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { FakeQemu, greeting, type MemoryPort, portPair } from '../../support/qmp-fake.ts'

let port: MemoryPort
let qemu: FakeQemu
let clock: ManualClock

beforeEach(() => {
  const [ours, theirs] = portPair()
  port = ours
  qemu = new FakeQemu(theirs)
  clock = new ManualClock()
})

async function connected(): Promise<QmpClient> {
  const [client] = await Promise.all([connectQmp(port, { clock, timeoutMs: 1000 }), qemu.welcome()])
  return client
}

describe('connecting to a QEMU monitor', () => {
  test('resolves after QEMU has answered query-status, and enables oob where it is offered', async () => {
    const client = new QmpClient(port, { clock })
    expect(client.state).toBe('greeting')
    await expect(client.execute('stop')).rejects.toMatchObject({ code: 'QMP_NOT_READY', outcome: 'unsent' })
    qemu.say(greeting)
    const capabilities = await qemu.next()
    expect(capabilities).toMatchObject({ execute: 'qmp_capabilities', arguments: { enable: ['oob'] } })
    expect(client.state).toBe('negotiating')
    qemu.reply(capabilities)
    const status = await qemu.next()
    expect(status.execute).toBe('query-status')
    qemu.reply(status, { running: true, status: 'running' })
    await client.ready
    expect(client.state).toBe('ready')
    expect(client.version?.qemu.major).toBe(7)
    expect(clock.waiting).toBe(0)
  })

  test('leaves oob off on an old QEMU, and refuses to use it there', async () => {
    const opening = connectQmp(port, { clock })
    qemu.say({ QMP: { ...greeting.QMP, capabilities: [] } })
    const capabilities = await qemu.next()
    expect(capabilities.arguments).toBeUndefined()
    qemu.reply(capabilities)
    qemu.reply(await qemu.next())
    const client = await opening
    await expect(client.execute('migrate-pause', undefined, { oob: true })).rejects.toMatchObject({
      code: 'QMP_NO_OOB',
      kind: 'usage',
    })
  })

  test('accepts a greeting that is split at any byte', async () => {
    const bytes = Buffer.from(`${JSON.stringify(greeting)}\r\n`)
    for (let at = 0; at <= bytes.length; at++) {
      const [ours, theirs] = portPair()
      const fake = new FakeQemu(theirs)
      const opening = connectQmp(ours, { clock })
      fake.raw(bytes.subarray(0, at))
      fake.raw(bytes.subarray(at))
      fake.reply(await fake.next())
      fake.reply(await fake.next())
      const client = await opening
      expect(client.version?.qemu).toEqual({ major: 7, minor: 2, micro: 22 })
      await client.close()
    }
  })

  test.each([
    ['before the greeting', () => {}],
    ['in the middle of the greeting', () => qemu.raw('{"QMP": {"ver')],
    ['after the greeting, as of a QEMU that is about to die', () => qemu.say(greeting)],
  ])('rejects when the stream ends %s, and closes the port', async (_, before) => {
    const opening = connectQmp(port, { clock })
    before()
    qemu.port.other?.end()
    await expect(opening).rejects.toMatchObject({ name: 'QmpError', code: 'QMP_CLOSED' })
    expect(port.closed).toBe(true)
    expect(clock.waiting).toBe(0)
  })

  test('rejects when no greeting comes in time', async () => {
    const opening = connectQmp(port, { clock, timeoutMs: 500, peer: 'vm-003' })
    clock.pass(500)
    await expect(opening).rejects.toThrow(
      /connect to vm-003: no greeting within 500 ms\. Make sure that no other client/,
    )
    expect(port.closed).toBe(true)
  })
})

describe('commands of the QMP client', () => {
  test('replies in any order reach their commands', async () => {
    const client = await connected()
    const results = [1, 2, 3].map(n => client.execute('qom-get', { path: `/${n}`, property: 'type' }))
    const commands = [await qemu.next(), await qemu.next(), await qemu.next()]
    for (const command of commands.reverse()) qemu.reply(command, command.arguments?.path)
    expect(await Promise.all(results)).toEqual(['/1', '/2', '/3'])
    expect(clock.waiting).toBe(0)
  })

  test('a command that is alone in flight has no id; others have ids, all different', async () => {
    const client = await connected()
    const results = Promise.all([client.execute('stop'), client.execute('cont'), client.execute('stop')])
    const commands = [await qemu.next(), await qemu.next(), await qemu.next()]
    expect(commands.map(command => command.id)).toEqual([undefined, 1, 2])
    for (const command of commands) qemu.reply(command)
    await results
  })

  test('several replies and events in one piece, and one reply of 207 KB in many, are decoded', async () => {
    const client = await connected()
    const stops = client.events('STOP')
    const short = client.execute('stop')
    const long = client.execute('query-qmp-schema')
    await qemu.next()
    const { id } = await qemu.next()
    const schema = Array.from({ length: 2000 }, (_, i) => ({ name: `type ${i}`, text: 'x'.repeat(80) }))
    const stop = '{"event": "STOP", "timestamp": {"seconds": 1, "microseconds": 0}}\r\n'
    const all = `${stop}{"return": {}}\r\n${stop}${JSON.stringify({ id, return: schema })}\r\n`
    expect(all.length).toBeGreaterThan(207_000)
    for (let at = 0; at < all.length; at += 1000) qemu.raw(all.slice(at, at + 1000))
    expect(await short).toEqual({})
    expect(await long).toEqual(schema)
    expect([(await stops.next()).value, (await stops.next()).value]).toMatchObject([
      { at: 1000 },
      { at: 1000 },
    ])
  })

  test("a refusal names the command and the peer, with QEMU's words", async () => {
    const client = await connected()
    const refused = client.execute('set_link', { name: 'nic9', up: true })
    qemu.refuse(await qemu.next(), "Device 'nic9' not found")
    await expect(refused).rejects.toMatchObject({
      message: "run set_link on the QEMU monitor: Device 'nic9' not found",
      code: 'QMP_COMMAND',
      command: 'set_link',
      outcome: 'failed',
      errorClass: 'GenericError',
    })
  })

  test('at most eight commands in band are in flight, out-of-band ones pass them, and order is kept', async () => {
    const client = await connected()
    const names = Array.from({ length: 20 }, (_, i) => `/${i}`)
    const results = names.map(path => client.execute('qom-get', { path, property: 'p' }))
    const urgent = client.execute('migrate-pause', undefined, { oob: true })
    const seen: unknown[] = []
    const air = []
    for (let i = 0; i < 9; i++) air.push(await qemu.next())
    expect(air.at(-1)).toMatchObject({ 'exec-oob': 'migrate-pause', id: expect.any(Number) })
    qemu.reply(air.pop()!)
    await urgent
    while (air.length > 0) {
      const command = air.shift()!
      seen.push(command.arguments?.path)
      qemu.reply(command)
      if (seen.length + air.length < 20) air.push(await qemu.next())
      expect(air.length).toBeLessThanOrEqual(8)
    }
    await Promise.all(results)
    expect(seen).toEqual(names)
  })

  test('arguments that cannot be encoded as JSON are refused before anything is sent', async () => {
    const client = await connected()
    await expect(client.execute('anything', { n: 1n })).rejects.toMatchObject({
      code: 'QMP_BAD_ARGUMENTS',
      kind: 'usage',
      outcome: 'unsent',
      reason: expect.stringContaining('BigInt'),
    })
    const next = client.execute('stop')
    const command = await qemu.next()
    expect(command.execute).toBe('stop')
    qemu.reply(command)
    await next
    expect(clock.waiting).toBe(0)
  })

  test('an error without an id rejects the oldest command with an unknown outcome', async () => {
    const client = await connected()
    const first = client.execute('cont')
    const commands = [await qemu.next()]
    const second = client.execute('stop')
    const third = client.execute('system_reset')
    commands.push(await qemu.next(), await qemu.next())
    qemu.reply(commands[0]!)
    await first
    qemu.say({ error: { class: 'GenericError', desc: 'JSON parse error, too deep' } })
    await expect(second).rejects.toMatchObject({
      code: 'QMP_UNREADABLE',
      outcome: 'unknown',
      command: 'stop',
    })
    qemu.reply(commands[1]!) // the error was not for this command after all: its reply is dropped
    qemu.reply(commands[2]!)
    await third
  })
})

describe('time limits of the QMP client', () => {
  test('a command that times out has an unknown outcome, and its late reply is dropped', async () => {
    const client = await connected()
    const slow = client.execute('system_reset', undefined, { timeoutMs: 50 })
    const late = await qemu.next()
    clock.pass(50)
    await expect(slow).rejects.toMatchObject({
      message: 'run system_reset on the QEMU monitor: no answer within 50 ms',
      code: 'QMP_TIMEOUT',
      outcome: 'unknown',
    })
    const next = client.execute('query-status')
    const status = await qemu.next()
    expect(status.id).not.toBe(late.id)
    qemu.reply(late, { status: 'the late one' })
    qemu.reply(status, { status: 'running' })
    expect(await next).toEqual({ status: 'running' })
  })

  test('a command that timed out keeps its place in the window until it is answered', async () => {
    const client = await connected()
    const given = Promise.allSettled(
      Array.from({ length: 8 }, () => client.execute('stop', undefined, { timeoutMs: 5 })),
    )
    const commands = []
    for (let i = 0; i < 8; i++) commands.push(await qemu.next())
    const waiting = client.execute('cont', undefined, { timeoutMs: 50 })
    clock.pass(5)
    await given
    clock.pass(45)
    await expect(waiting).rejects.toMatchObject({ code: 'QMP_TIMEOUT', outcome: 'unsent' })
    const next = client.execute('cont')
    qemu.reply(commands[3]!)
    const sent = await qemu.next()
    expect(sent.execute).toBe('cont')
    qemu.reply(sent)
    await next
  })
})

describe('file descriptors of the QMP client', () => {
  test('a file descriptor is sent with its command', async () => {
    const client = await connected()
    const done = client.execute('getfd', { fdname: 'state' }, { fds: [42] })
    const command = await qemu.next()
    expect(command).toMatchObject({ execute: 'getfd', arguments: { fdname: 'state' }, fds: [42] })
    qemu.reply(command)
    await done
  })

  test.each([
    ['7up', [42], "'7up' cannot be the name of a descriptor"],
    ['', [42], "'' cannot be the name of a descriptor"],
    ['two', [42, 43], 'one file descriptor with a command, not 2'],
    ['none', [], 'getfd needs a file descriptor'],
  ])('getfd %j with descriptors %j is refused by the client', async (fdname, fds, words) => {
    const client = await connected()
    const refused = client.execute('getfd', { fdname }, { fds })
    await expect(refused).rejects.toThrow(words)
    await expect(refused).rejects.toMatchObject({ code: 'QMP_BAD_FD', kind: 'usage', outcome: 'unsent' })
  })
})

describe('the end of a QMP session', () => {
  test('at EOF in the middle of a reply rejects all pending commands, each by its name', async () => {
    const client = await connected()
    const results = Array.from({ length: 9 }, () => client.execute('system_reset'))
    const { id } = await qemu.next()
    qemu.raw(`{"id": ${id}, "retu`)
    qemu.port.other?.end(new Error('read ECONNRESET'))
    const settled = await Promise.allSettled(results)
    const reasons = settled.map(result => result.status === 'rejected' && result.reason)
    expect(reasons.map(({ outcome }) => outcome)).toEqual([...Array(8).fill('unknown'), 'unsent'])
    expect(reasons[0]).toMatchObject({
      message: 'run system_reset on the QEMU monitor: read ECONNRESET',
      code: 'QMP_CLOSED',
    })
    expect(await client.closed).toMatchObject({ reason: 'read ECONNRESET' })
    expect(client.state).toBe('closed')
    await expect(client.execute('stop')).rejects.toMatchObject({ code: 'QMP_CLOSED', outcome: 'unsent' })
    expect(clock.waiting).toBe(0)
  })

  test('through close() rejects pending commands, can be repeated, and resolves `closed` without a reason', async () => {
    const client = await connected()
    const waiting = client.execute('migrate', { uri: 'fd:state' })
    await Promise.all([client.close(), client.close()])
    await expect(waiting).rejects.toMatchObject({ command: 'migrate', outcome: 'unknown' })
    expect(await client.closed).toBeUndefined()
    await qemu.ended.promise
    expect(clock.waiting).toBe(0)
  })

  test.each([
    ['garbage', 'login: \r\n'],
    ['JSON that is not a message', '[1]\r\n'],
  ])('is caused by %s, with that input in the reason', async (_, said) => {
    const client = await connected()
    const waiting = client.execute('stop')
    qemu.raw(said)
    await expect(waiting).rejects.toMatchObject({ code: 'QMP_MALFORMED', outcome: 'unknown' })
    expect(await client.closed).toMatchObject({ reason: expect.stringContaining(said[0]!) })
    expect(port.closed).toBe(true)
  })

  test('is caused by a line longer than 16 MiB', async () => {
    const client = await connected()
    const piece = 'x'.repeat(1 << 20)
    for (let i = 0; i < 17; i++) qemu.raw(piece)
    expect(await client.closed).toMatchObject({ code: 'QMP_TOO_LONG' })
  })
})

afterEach(() => port.close())
