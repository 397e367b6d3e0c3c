import { afterEach, describe, expect, test } from 'vitest'
import { connectQmp, QmpClient } from '../../../src/qmp/index.ts'
import { FakeQemu, greeting, portPair } from '../../support/qmp-fake.ts'
import { qmpFixture } from '../../support/qmp-fixture.ts'

const at = qmpFixture()

const running = { running: true, status: 'running' }

describe('connecting to a QEMU monitor', () => {
  test('resolves after QEMU has answered query-status, and enables oob where it is offered', async () => {
    const client = new QmpClient(at.port, { clock: at.clock })
    expect(client.state).toBe('greeting')
    await expect(client.execute('stop')).rejects.toMatchObject({ code: 'QMP_NOT_READY', outcome: 'unsent' })
    at.qemu.say(greeting)
    const capabilities = await at.qemu.next()
    expect(capabilities).toMatchObject({ execute: 'qmp_capabilities', arguments: { enable: ['oob'] } })
    expect(client.state).toBe('negotiating')
    at.qemu.reply(capabilities)
    const status = await at.qemu.next()
    expect(status.execute).toBe('query-status')
    at.qemu.reply(status, running)
    await client.ready
    expect(client.state).toBe('ready')
    expect(client.version?.qemu.major).toBe(7)
    expect(at.clock.waiting).toBe(0)
  })

  test('leaves oob off on an old QEMU, and refuses to use it there', async () => {
    const opening = connectQmp(at.port, { clock: at.clock })
    at.qemu.say({ QMP: { ...greeting.QMP, capabilities: [] } })
    const capabilities = await at.qemu.next()
    expect(capabilities.arguments).toBeUndefined()
    at.qemu.reply(capabilities)
    at.qemu.reply(await at.qemu.next(), running)
    const client = await opening
    await expect(client.execute('migrate-pause', undefined, { oob: true })).rejects.toMatchObject({
      code: 'QMP_NO_OOB',
      kind: 'usage',
    })
  })

  test('accepts a greeting that is split at any byte', async () => {
    const bytes = Buffer.from(`${JSON.stringify(greeting)}\r\n`)
    for (let cut = 0; cut <= bytes.length; cut++) {
      const [ours, theirs] = portPair()
      const fake = new FakeQemu(theirs)
      const opening = connectQmp(ours, { clock: at.clock })
      fake.raw(bytes.subarray(0, cut))
      fake.raw(bytes.subarray(cut))
      fake.reply(await fake.next())
      fake.reply(await fake.next(), running)
      const client = await opening
      expect(client.version?.qemu).toEqual({ major: 7, minor: 2, micro: 22 })
      await client.close()
    }
  })

  test.each([
    ['before the greeting', () => {}],
    ['in the middle of the greeting', () => at.qemu.raw('{"QMP": {"ver')],
    ['after the greeting, as of a QEMU that is about to die', () => at.qemu.say(greeting)],
  ])('rejects when the stream ends %s, and closes the port', async (_, before) => {
    const opening = connectQmp(at.port, { clock: at.clock })
    before()
    at.qemu.port.other?.end()
    await expect(opening).rejects.toMatchObject({ name: 'QmpError', code: 'QMP_CLOSED' })
    expect(at.port.closed).toBe(true)
    expect(at.clock.waiting).toBe(0)
  })

  test('rejects when no greeting comes in time', async () => {
    const opening = connectQmp(at.port, { clock: at.clock, timeoutMs: 500, peer: 'vm-003' })
    at.clock.pass(500)
    await expect(opening).rejects.toThrow(
      /connect to vm-003: no greeting within 0.5 s\. Make sure that no other client/,
    )
    expect(at.port.closed).toBe(true)
  })
})

describe('commands of the QMP client', () => {
  test('replies in any order reach their commands', async () => {
    const client = await at.connected()
    const results = [1, 2, 3].map(n => client.execute('qom-get', { path: `/${n}`, property: 'type' }))
    const commands = [await at.qemu.next(), await at.qemu.next(), await at.qemu.next()]
    for (const command of commands.reverse()) at.qemu.reply(command, command.arguments?.path)
    expect(await Promise.all(results)).toEqual(['/1', '/2', '/3'])
    expect(at.clock.waiting).toBe(0)
  })

  test('a command without arguments that is alone in flight has no id; others have ids, all different', async () => {
    const client = await at.connected()
    const results = Promise.all([client.execute('stop'), client.execute('cont'), client.execute('stop')])
    const commands = [await at.qemu.next(), await at.qemu.next(), await at.qemu.next()]
    const [first, ...others] = commands.map(command => command.id)
    expect(first).toBeUndefined()
    expect(new Set(others.map(id => typeof id === 'number' && id)).size).toBe(2)
    for (const command of commands) at.qemu.reply(command)
    await results
  })

  test('several replies and events in one piece, and one reply of 207 KB in many, are decoded', async () => {
    const client = await at.connected()
    const stops = client.events('STOP')
    const short = client.execute('stop')
    const long = client.execute('query-qmp-schema')
    await at.qemu.next()
    const { id } = await at.qemu.next()
    const schema = Array.from({ length: 2000 }, (_, i) => ({ name: `type ${i}`, text: 'x'.repeat(80) }))
    const stop = '{"event": "STOP", "timestamp": {"seconds": 1, "microseconds": 0}}\r\n'
    const all = `${stop}{"return": {}}\r\n${stop}${JSON.stringify({ id, return: schema })}\r\n`
    expect(all.length).toBeGreaterThan(207_000)
    for (let from = 0; from < all.length; from += 1000) at.qemu.raw(all.slice(from, from + 1000))
    expect(await short).toEqual({})
    expect(await long).toEqual(schema)
    expect([(await stops.next()).value, (await stops.next()).value]).toMatchObject([
      { at: 1000 },
      { at: 1000 },
    ])
  })

  test("a refusal names the command and the peer, with QEMU's words", async () => {
    const client = await at.connected()
    const refused = client.execute('set_link', { name: 'nic9', up: true })
    at.qemu.refuse(await at.qemu.next(), "Device 'nic9' not found")
    await expect(refused).rejects.toMatchObject({
      message: "run set_link on the QEMU monitor: Device 'nic9' not found",
      code: 'QMP_COMMAND',
      command: 'set_link',
      outcome: 'failed',
      errorClass: 'GenericError',
    })
  })

  test('at most eight commands in band are in flight, out-of-band ones pass them, and order is kept', async () => {
    const client = await at.connected()
    const names = Array.from({ length: 20 }, (_, i) => `/${i}`)
    const results = names.map(path => client.execute('qom-get', { path, property: 'p' }))
    const urgent = client.execute('migrate-pause', undefined, { oob: true })
    const seen: unknown[] = []
    const air = []
    for (let i = 0; i < 9; i++) air.push(await at.qemu.next())
    expect(air.at(-1)).toMatchObject({ 'exec-oob': 'migrate-pause', id: expect.any(Number) })
    at.qemu.reply(air.pop()!)
    await urgent
    while (air.length > 0) {
      const command = air.shift()!
      seen.push(command.arguments?.path)
      at.qemu.reply(command)
      if (seen.length + air.length < 20) air.push(await at.qemu.next())
      expect(air.length).toBeLessThanOrEqual(8)
    }
    await Promise.all(results)
    expect(seen).toEqual(names)
  })

  test('arguments that cannot be encoded as JSON are refused before anything is sent', async () => {
    const client = await at.connected()
    const args: Record<string, unknown> = {}
    args.circle = args
    await expect(client.execute('anything', args)).rejects.toMatchObject({
      code: 'QMP_BAD_ARGUMENTS',
      kind: 'usage',
      outcome: 'unsent',
      reason: expect.stringContaining('circular'),
    })
    const next = client.execute('stop')
    const command = await at.qemu.next()
    expect(command.execute).toBe('stop')
    at.qemu.reply(command)
    await next
    expect(at.clock.waiting).toBe(0)
  })

  test.each([
    ['a lone surrogate', { text: 'a\ud800b' }],
    ['a lone surrogate after backslashes', { text: '\\\\\udfff' }],
    ['a lone surrogate as a key', { '\ud83d': 1 }],
    ['a lone surrogate beside a bigint', { text: 'a\ud800b', n: 2n ** 60n }],
    ['a noncharacter', { list: ['\ufffe'] }],
    ['a noncharacter of another plane', { text: String.fromCodePoint(0x1ffff) }],
  ])('%s, which QEMU cannot parse, is refused before anything is sent', async (_, args) => {
    const client = await at.connected()
    await expect(client.execute('anything', args)).rejects.toMatchObject({
      code: 'QMP_BAD_ARGUMENTS',
      outcome: 'unsent',
      reason: 'a text in them has a lone surrogate or a noncharacter',
    })
    const fine = client.execute('anything', { text: '\\ud800 👍 \ufeff\0\x7f' })
    const command = await at.qemu.next()
    expect(command.arguments).toEqual({ text: '\\ud800 👍 \ufeff\0\x7f' })
    at.qemu.reply(command)
    await fine
  })

  test('a text that is not the name of a command is refused before anything is sent', async () => {
    const client = await at.connected()
    await expect(client.execute('stop"}')).rejects.toMatchObject({
      code: 'QMP_BAD_ARGUMENTS',
      outcome: 'unsent',
    })
  })

  test('only a command that is alone and has no arguments is sent without an id', async () => {
    const client = await at.connected()
    const first = client.execute('set_link', { name: 'nic0', up: true })
    const link = await at.qemu.next()
    expect(link.id).toEqual(expect.any(Number))
    const second = client.execute('stop')
    const stop = await at.qemu.next()
    expect(stop.id).toEqual(expect.any(Number))
    at.qemu.reply(stop)
    at.qemu.reply(link)
    await Promise.all([first, second])
  })

  test.each([
    ['an error', { error: { class: 'GenericError', desc: 'JSON parse error, too deep' } }],
    ['a value', { return: {} }],
  ])(
    '%s without an id that belongs to no command ends the connection, with unknown outcomes',
    async (_, reply) => {
      const client = await at.connected()
      const first = client.execute('set_link', { name: 'nic0', up: true })
      const second = client.execute('stop')
      await Promise.all([at.qemu.next(), at.qemu.next()])
      at.qemu.say(reply)
      const lost = { code: 'QMP_UNREADABLE', outcome: 'unknown' }
      await expect(first).rejects.toMatchObject({ ...lost, command: 'set_link' })
      await expect(second).rejects.toMatchObject({ ...lost, command: 'stop' })
      expect(await client.closed).toMatchObject({ code: 'QMP_UNREADABLE' })
    },
  )
})

describe('time limits of the QMP client', () => {
  test('a command that times out has an unknown outcome, and its late reply is dropped', async () => {
    const client = await at.connected()
    const slow = client.execute('system_reset', undefined, { timeoutMs: 50 })
    const late = await at.qemu.next()
    at.clock.pass(50)
    await expect(slow).rejects.toMatchObject({
      message: 'run system_reset on the QEMU monitor: no answer within 50 ms',
      code: 'QMP_TIMEOUT',
      outcome: 'unknown',
    })
    const next = client.execute('query-status')
    const status = await at.qemu.next()
    expect(status.id).not.toBe(late.id)
    at.qemu.reply(late, { status: 'the late one' })
    at.qemu.reply(status, running)
    expect(await next).toEqual(running)
  })

  test('a command that timed out keeps its place in the window until it is answered', async () => {
    const client = await at.connected()
    const given = Promise.allSettled(
      Array.from({ length: 8 }, () => client.execute('stop', undefined, { timeoutMs: 5 })),
    )
    const commands = []
    for (let i = 0; i < 8; i++) commands.push(await at.qemu.next())
    const waiting = client.execute('cont', undefined, { timeoutMs: 50 })
    at.clock.pass(5)
    await given
    at.clock.pass(45)
    await expect(waiting).rejects.toMatchObject({ code: 'QMP_TIMEOUT', outcome: 'unsent' })
    const next = client.execute('cont')
    at.qemu.reply(commands[3]!)
    const sent = await at.qemu.next()
    expect(sent.execute).toBe('cont')
    at.qemu.reply(sent)
    await next
  })
})

describe('the end of a QMP session', () => {
  test('at EOF in the middle of a reply rejects all pending commands, each by its name', async () => {
    const client = await at.connected()
    const results = Array.from({ length: 9 }, () => client.execute('system_reset'))
    const { id } = await at.qemu.next()
    at.qemu.raw(`{"id": ${id}, "retu`)
    at.qemu.port.other?.end(new Error('read ECONNRESET'))
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
    expect(at.clock.waiting).toBe(0)
  })

  test('through close() rejects pending commands, can be repeated, and resolves `closed` without a reason', async () => {
    const client = await at.connected()
    const waiting = client.execute('migrate', { uri: 'fd:state' })
    await Promise.all([client.close(), client.close()])
    await expect(waiting).rejects.toMatchObject({ command: 'migrate', outcome: 'unknown' })
    expect(await client.closed).toBeUndefined()
    await at.qemu.ended.promise
    expect(at.clock.waiting).toBe(0)
  })

  test.each([
    ['garbage', 'login: \r\n'],
    ['JSON that is not a message', '[1]\r\n'],
  ])('is caused by %s, with that input in the reason', async (_, said) => {
    const client = await at.connected()
    const waiting = client.execute('stop')
    at.qemu.raw(said)
    await expect(waiting).rejects.toMatchObject({ code: 'QMP_MALFORMED', outcome: 'unknown' })
    expect(await client.closed).toMatchObject({ reason: expect.stringContaining(said[0]!) })
    expect(at.port.closed).toBe(true)
  })

  test('is caused by a line longer than 16 MiB', async () => {
    const client = await at.connected()
    const piece = 'x'.repeat(1 << 20)
    for (let i = 0; i < 17; i++) at.qemu.raw(piece)
    expect(await client.closed).toMatchObject({ code: 'QMP_TOO_LONG' })
  })
})

afterEach(() => at.port.close())

describe('a QEMU that does not keep to the protocol', () => {
  test.for<[string, object, string]>([
    ['SHUTDOWN', { guest: 'yes', reason: 'x' }, 'data.guest is a string, not true or false'],
    ['SHUTDOWN', { guest: true, reason: {} }, 'data.reason is an object, not a string'],
    ['VSERPORT_CHANGE', { id: 'agent' }, 'data.open is absent, not true or false'],
    ['MIGRATION', {}, 'data.status is absent, not a string'],
  ])('is not listened to any more after a wrong event: %s with %j', async ([name, data, wrong]) => {
    const client = await at.connected()
    at.qemu.event(name, data)
    expect(await client.closed).toMatchObject({
      code: 'QMP_MALFORMED',
      reason: `its event ${name} is wrong: ${wrong}`,
    })
  })

  test('gets one error for a reply of a wrong shape', async () => {
    const client = await at.connected()
    const status = client.execute('query-status')
    at.qemu.reply(await at.qemu.next(), { running: 1, status: 'running' })
    await expect(status).rejects.toMatchObject({
      code: 'BAD_REPLY',
      command: 'query-status',
      reason: 'its reply is wrong: return.running is the number 1, not true or false',
    })
  })
})
