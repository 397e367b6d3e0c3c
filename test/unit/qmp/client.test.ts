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

describe('connecting', () => {
  test('is done when QEMU has answered query-status; oob is asked for where offered', async () => {
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

  test('does not ask an old QEMU for oob, and refuses to use it there', async () => {
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

  test('the greeting may be split at every byte', async () => {
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
    ['in the middle of it', () => qemu.raw('{"QMP": {"ver')],
    ['after it: a QEMU about to die greets too', () => qemu.say(greeting)],
  ])('the end %s is an error, and the port is closed', async (_, before) => {
    const opening = connectQmp(port, { clock })
    before()
    qemu.port.other?.end()
    await expect(opening).rejects.toMatchObject({ name: 'QmpError', code: 'QMP_CLOSED' })
    expect(port.closed).toBe(true)
    expect(clock.waiting).toBe(0)
  })

  test('no greeting in time', async () => {
    const opening = connectQmp(port, { clock, timeoutMs: 500, peer: 'vm-003' })
    clock.pass(500)
    await expect(opening).rejects.toThrow(/connect to vm-003: no greeting within 500 ms\. See that nobody/)
    expect(port.closed).toBe(true)
  })
})

describe('commands', () => {
  test('replies in any order find their commands', async () => {
    const client = await connected()
    const results = [1, 2, 3].map(n => client.execute('qom-get', { path: `/${n}`, property: 'type' }))
    const commands = [await qemu.next(), await qemu.next(), await qemu.next()]
    for (const command of commands.reverse()) qemu.reply(command, command.arguments?.path)
    expect(await Promise.all(results)).toEqual(['/1', '/2', '/3'])
    expect(clock.waiting).toBe(0)
  })

  test('one that flies alone has no id; its neighbours have, and no two the same', async () => {
    const client = await connected()
    const results = Promise.all([client.execute('stop'), client.execute('cont'), client.execute('stop')])
    const commands = [await qemu.next(), await qemu.next(), await qemu.next()]
    expect(commands.map(command => command.id)).toEqual([undefined, 1, 2])
    for (const command of commands) qemu.reply(command)
    await results
  })

  test('several replies and events in one piece, and one reply of 207 KB in many', async () => {
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

  test('a refusal says who refused what, in QEMU’s words', async () => {
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

  test('never more than eight in band are in the air; out of band passes by; the order stays', async () => {
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

  test('arguments that are no JSON are refused before anything is sent', async () => {
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

  test('an error without an id belongs to the oldest, whose outcome is not certain', async () => {
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
    qemu.reply(commands[1]!) // it was not that one after all: nobody waits for it
    qemu.reply(commands[2]!)
    await third
  })
})

describe('timeouts', () => {
  test('the outcome is unknown, and a late reply is nobody’s', async () => {
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

  test('a command given up keeps its place in the window until it is answered', async () => {
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

describe('descriptors', () => {
  test('one travels with its command', async () => {
    const client = await connected()
    const done = client.execute('getfd', { fdname: 'state' }, { fds: [42] })
    const command = await qemu.next()
    expect(command).toMatchObject({ execute: 'getfd', arguments: { fdname: 'state' }, fds: [42] })
    qemu.reply(command)
    await done
  })

  test.each([
    ['7up', [42], "'7up' cannot name a descriptor"],
    ['', [42], "'' cannot name a descriptor"],
    ['two', [42, 43], 'one file descriptor a command, not 2'],
    ['none', [], 'getfd needs a file descriptor'],
  ])('getfd %j with %j is refused here', async (fdname, fds, words) => {
    const client = await connected()
    const refused = client.execute('getfd', { fdname }, { fds })
    await expect(refused).rejects.toThrow(words)
    await expect(refused).rejects.toMatchObject({ code: 'QMP_BAD_FD', kind: 'usage', outcome: 'unsent' })
  })
})

describe('the end', () => {
  test('EOF in the middle of a reply rejects all that wait, each by its name', async () => {
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

  test('close() rejects what waits, may be called again, and tells `closed` nothing bad', async () => {
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
    ['JSON that is no message', '[1]\r\n'],
  ])('%s ends it with what was said', async (_, said) => {
    const client = await connected()
    const waiting = client.execute('stop')
    qemu.raw(said)
    await expect(waiting).rejects.toMatchObject({ code: 'QMP_MALFORMED', outcome: 'unknown' })
    expect(await client.closed).toMatchObject({ reason: expect.stringContaining(said[0]!) })
    expect(port.closed).toBe(true)
  })

  test('a line without end is cut off at 16 MiB', async () => {
    const client = await connected()
    const piece = 'x'.repeat(1 << 20)
    for (let i = 0; i < 17; i++) qemu.raw(piece)
    expect(await client.closed).toMatchObject({ code: 'QMP_TOO_LONG' })
  })
})

afterEach(() => port.close())
