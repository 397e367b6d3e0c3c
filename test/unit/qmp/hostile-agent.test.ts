import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type AgentClient, connectAgent } from '../../../src/qmp/index.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { FakeQemu, type MemoryPort, portPair, type Received } from '../../support/qmp-fake.ts'

let port: MemoryPort
let guest: FakeQemu
let clock: ManualClock

beforeEach(() => {
  const [ours, theirs] = portPair()
  port = ours
  guest = new FakeQemu(theirs)
  clock = new ManualClock()
})
afterEach(() => port.close())

function agree(command: Received): void {
  guest.raw(Uint8Array.of(0xff))
  guest.reply(command, command.arguments?.id)
}

async function connected(): Promise<AgentClient> {
  const opening = connectAgent(port, { clock, timeoutMs: 10_000, peer: 'vm-001' })
  agree(await guest.next())
  return opening
}

describe('an agent whose replies have wrong shapes', () => {
  test.for<[string, unknown, string]>([
    ['a list', [], 'return is a list, not an object'],
    ['no process', {}, 'return.pid is absent, not a whole number from 0'],
    ['a text for a number', { pid: '7' }, 'return.pid is a string, not a whole number from 0'],
    [
      'an object without a text',
      { pid: { toString: 1 } },
      'return.pid is an object, not a whole number from 0',
    ],
    ['a number without end', { pid: 1e300 }, 'return.pid is the number 1e+300, not a whole number from 0'],
  ])('gets one error that says what is wrong: %s to guest-exec', async ([, value, wrong]) => {
    const agent = await connected()
    const done = agent.exec(['true'])
    guest.reply(await guest.next(), value)
    await expect(done).rejects.toMatchObject({
      code: 'BAD_REPLY',
      target: 'vm-001',
      command: 'guest-exec',
      op: 'run guest-exec on',
      outcome: 'unknown',
      reason: `its reply is wrong: ${wrong}`,
    })
  })

  test.for<[string, unknown, string]>([
    ['a text for a flag', { exited: 'yes' }, 'return.exited is a string, not true or false'],
    ['lists for output', { exited: true, 'out-data': [[7]] }, 'return.out-data is a list, not a string'],
    ['output that is not base64', { exited: true, 'out-data': '????' }, 'return.out-data is not base64'],
    ['output that is cut', { exited: true, 'err-data': 'QUJDR' }, 'return.err-data is not base64'],
    [
      'output before the end',
      { exited: false, 'out-data': 'QUJD' },
      'return has the output of a program that still runs',
    ],
    ['a fraction', { exited: true, exitcode: 0.5 }, 'return.exitcode is the number 0.5, not a whole number'],
  ])('gets one error that says what is wrong: %s to guest-exec-status', async ([, value, wrong]) => {
    const agent = await connected()
    const done = agent.exec(['true'])
    guest.reply(await guest.next(), { pid: 7 })
    guest.reply(await guest.next(), value)
    await expect(done).rejects.toMatchObject({ code: 'BAD_REPLY', reason: `its reply is wrong: ${wrong}` })
  })

  test('gets one error for a synchronisation that is not a number', async () => {
    const opening = connectAgent(port, { clock, peer: 'vm-001' })
    guest.reply(await guest.next(), [1])
    await expect(opening).rejects.toMatchObject({
      code: 'BAD_REPLY',
      reason: 'its reply is wrong: return is a list, not an integer',
    })
  })

  test('is given up after some wrong numbers, at whatever speed it sends them', async () => {
    const opening = connectAgent(port, { clock, timeoutMs: 10_000 })
    let asked = 0
    const answering = (async () => {
      for await (const command of guest.received) {
        asked++
        guest.reply(command, 4711)
      }
    })()
    await expect(opening).rejects.toMatchObject({ code: 'AGENT_OUT_OF_STEP' })
    guest.received.end()
    await answering
    expect(asked).toBeLessThan(100)
  })

  test('cannot make an error out of objects that are no text', async () => {
    const agent = await connected()
    const ping = agent.execute('guest-ping', undefined, { timeoutMs: 100 })
    const { id } = await guest.next()
    guest.say({ error: { class: { toString: 1 }, desc: { toString: 1 } }, id })
    guest.say({ event: 'X', data: 7, timestamp: { seconds: { valueOf: 1 } } })
    guest.say({ QMP: { version: { qemu: { major: { valueOf: 1 } } } } })
    await guest.delivered()
    clock.pass(100)
    await expect(ping).rejects.toMatchObject({ code: 'QMP_TIMEOUT' })
  })
})

test('the words of an agent that refuses are one bounded line without control characters', async () => {
  const agent = await connected()
  const ping = agent.execute('guest-ping')
  guest.refuse(await guest.next(), `\x1b]0;owned\x07\nxc: forged\u202e${'x'.repeat(100_000)}`)
  const failure = await ping.catch(thrown => thrown)
  expect(failure.message).toContain('run guest-ping on vm-001: \\x1b]0;owned\\x07\\nxc: forged\\u202exxx')
  expect(failure.message.length).toBeLessThan(1100)
})

describe('an agent that floods', () => {
  test.for<[string, (sent: number) => string]>([
    ['newlines', () => '\n'.repeat(1000)],
    ['lines that are no messages', () => 'lies\n'.repeat(200)],
    ['replies to commands that were never sent', () => '{"return": {}, "id": 4711}\n'.repeat(40)],
  ])('with %s has its port closed, and later commands say why', async ([, piece]) => {
    const agent = await connected()
    for (let sent = 0; agent.state !== 'closed' && sent < 1000; sent++) {
      guest.raw(piece(sent))
      await guest.delivered()
    }
    expect(port.closed).toBe(true)
    await expect(agent.exec(['true'])).rejects.toMatchObject({
      code: 'AGENT_FLOOD',
      target: 'vm-001',
      outcome: 'unsent',
      remedy: expect.stringContaining('reset the node'),
    })
  })

  test('is told from one that was restarted, and from one that answers late', async () => {
    const agent = await connected()
    for (let restart = 0; restart < 20; restart++) {
      guest.raw('{"return": {}, "id": 4711}\nhalf a line\n')
      await guest.delivered()
    }
    expect(agent.state).not.toBe('closed')
  })

  test('with one long line has its port closed, unless output was asked for', async () => {
    const agent = await connected()
    const done = agent.exec(['cat', 'file'])
    guest.reply(await guest.next(), { pid: 7 })
    const text = 'A'.repeat(4 << 20)
    guest.reply(await guest.next(), { exited: true, exitcode: 0, 'out-data': text })
    expect((await done).stdout.length).toBe(3 << 20)
    guest.raw('A'.repeat(1 << 20))
    await guest.delivered()
    expect(agent.state).toBe('ready')
    guest.raw('A')
    await guest.delivered()
    expect(agent.state).toBe('closed')
    await expect(agent.execute('guest-ping')).rejects.toMatchObject({ code: 'QMP_TOO_LONG' })
  })

  test('with more output than the caller expects has its port closed before it is collected', async () => {
    const agent = await connected()
    const done = agent.exec(['cat', 'file'], { outputLimit: 3 << 20 })
    guest.reply(await guest.next(), { pid: 7 })
    guest.reply(await guest.next(), { exited: true, exitcode: 0, 'out-data': 'A'.repeat(4 << 20) })
    expect((await done).stdout.length).toBe(3 << 20)
    const more = agent.exec(['cat', 'file'], { outputLimit: 3 << 20 })
    guest.reply(await guest.next(), { pid: 8 })
    await guest.next()
    guest.raw(`{"return": {"exited": true, "out-data": "${'A'.repeat(5 << 20)}`)
    await expect(more).rejects.toMatchObject({ code: 'QMP_TOO_LONG', command: 'guest-exec-status' })
    expect(agent.state).toBe('closed')
  })

  test.for<[string, string]>([
    ['lists in each other', '['],
    ['objects without end', '{},'],
    ['numbers without end', '0,'],
  ])('with %s has its port closed before they are parsed', async ([, text]) => {
    const agent = await connected()
    const done = agent.exec(['true'])
    guest.reply(await guest.next(), { pid: 7 })
    await guest.next()
    const before = process.memoryUsage().heapUsed
    guest.raw(`{"return": [${text.repeat(5_000_000)}`)
    await expect(done).rejects.toMatchObject({ code: 'QMP_TOO_COMPLEX', command: 'guest-exec-status' })
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(32 << 20)
  })
})

test('an agent that stays silent for thousands of commands keeps nothing of them', async () => {
  const agent = await connected()
  const first = agent.execute('guest-ping', undefined, { timeoutMs: 10 })
  await guest.next()
  clock.pass(10)
  await expect(first).rejects.toMatchObject({ code: 'QMP_TIMEOUT' })
  for (let command = 0; command < 3000; command++) {
    const lost = agent.execute('guest-ping', undefined, { timeoutMs: 10 })
    clock.pass(10)
    await expect(lost).rejects.toMatchObject({ code: 'QMP_TIMEOUT', outcome: 'unsent' })
  }
  expect(clock.waiting).toBe(0)
})

test('the beginning of a reply that came too late is not kept', async () => {
  const agent = await connected()
  const slow = agent.exec(['cat', 'file'], { timeoutMs: 50 })
  guest.reply(await guest.next(), { pid: 7 })
  const { id } = await guest.next()
  const before = process.memoryUsage().arrayBuffers
  const piece = 'A'.repeat(1 << 20)
  guest.raw(`{"return": {"exited": true, "out-data": "`)
  for (let sent = 0; sent < 20; sent++) guest.raw(piece)
  await guest.delivered()
  clock.pass(300)
  await expect(slow).rejects.toMatchObject({ code: 'QMP_TIMEOUT' })
  for (let sent = 0; sent < 20; sent++) guest.raw(piece)
  guest.raw(`"}, "id": ${id}}\n`)
  await guest.delivered()
  const next = agent.execute('guest-ping')
  agree(await guest.next())
  guest.reply(await guest.next())
  await next
  global.gc?.()
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64 << 20)
})
