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

/** Answers guest-sync-delimited as qemu-ga does: an error about the 0xFF, then its own 0xFF and the number. */
function agree(command: Received): void {
  expect(command.execute).toBe('guest-sync-delimited')
  guest.say({ error: { class: 'GenericError', desc: 'JSON parse error, stray bytes' } })
  guest.raw(Uint8Array.of(0xff))
  guest.reply(command, command.arguments?.id)
}

async function connected(): Promise<AgentClient> {
  const opening = connectAgent(port, { clock, timeoutMs: 10_000, peer: 'vm-001' })
  agree(await guest.next())
  return opening
}

test('replies and half lines from before the synchronisation are discarded', async () => {
  const opening = connectAgent(port, { clock })
  const sync = await guest.next()
  guest.say({ return: 17, id: 99 })
  guest.say({ return: {} })
  guest.raw('not even JSON\n{"return": {"pi')
  agree(sync)
  const agent = await opening
  expect(agent.state).toBe('ready')
  const ping = agent.execute('guest-ping')
  guest.reply(await guest.next())
  expect(await ping).toEqual({})
})

test("the answer to another client's synchronisation is not accepted", async () => {
  const opening = connectAgent(port, { clock })
  const sync = await guest.next()
  guest.reply(sync, 4711)
  const again = await guest.next()
  expect(again.arguments?.id).not.toBe(sync.arguments?.id)
  agree(again)
  await opening
})

test('an agent that keeps answering with a wrong number is given up at the time limit', async () => {
  let now = 0
  const running = { now: () => (now += 20), after: () => () => {} }
  const opening = connectAgent(port, { clock: running, timeoutMs: 50 })
  for (let wrong = 1; wrong <= 2; wrong++) guest.reply(await guest.next(), wrong)
  await expect(opening).rejects.toMatchObject({ code: 'AGENT_OUT_OF_STEP' })
})

test('a silent agent is asked again, then given up, and its port is closed', async () => {
  const opening = connectAgent(port, { clock, timeoutMs: 5_000 })
  await guest.next()
  clock.pass(3_000)
  await guest.next()
  clock.pass(2_000)
  await expect(opening).rejects.toMatchObject({ code: 'QMP_TIMEOUT', command: 'guest-sync-delimited' })
  expect(port.closed).toBe(true)
})

test('after a timeout the next command synchronises first, and the late reply is dropped', async () => {
  const agent = await connected()
  const slow = agent.execute('guest-ping', undefined, { timeoutMs: 100 })
  const late = await guest.next()
  clock.pass(100)
  await expect(slow).rejects.toMatchObject({ code: 'QMP_TIMEOUT', outcome: 'unknown' })
  expect(agent.state).toBe('unsynced')

  const time = agent.execute('guest-get-time')
  const sync = await guest.next()
  guest.reply(late, 'late')
  agree(sync)
  const command = await guest.next()
  expect(command.execute).toBe('guest-get-time')
  guest.reply(command, 123)
  expect(await time).toBe(123)
})

test('a guest agent gets one command at a time, because it loses an answer when the next one has begun', async () => {
  const agent = await connected()
  const both = [agent.execute('guest-get-time'), agent.execute('guest-info')]
  const first = await guest.next()
  expect(first.execute).toBe('guest-get-time')
  let came = false
  const second = guest.next().finally(() => {
    came = true
  })
  await guest.delivered()
  expect(came).toBe(false)
  guest.reply(first, 1)
  guest.reply(await second, { version: '7.2', supported_commands: [] })
  expect(await Promise.all(both)).toMatchObject([1, { version: '7.2' }])
})

test('synchronising frees the place of a command that was never answered, and those that waited were not sent', async () => {
  const agent = await connected()
  const lost = Array.from({ length: 8 }, () => agent.execute('guest-ping', undefined, { timeoutMs: 10 }))
  await guest.next()
  clock.pass(10)
  const outcomes = await Promise.all(lost.map(each => each.catch(({ outcome }) => outcome)))
  expect(outcomes).toEqual(['unknown', ...new Array(7).fill('unsent')])
  const next = agent.execute('guest-ping')
  agree(await guest.next())
  guest.reply(await guest.next())
  await next
  expect(clock.waiting).toBe(0)
})

test('a command to an agent that was restarted since is rejected after the next synchronisation', async () => {
  const agent = await connected()
  const ping = agent.execute('guest-ping')
  await guest.next()
  const sync = agent.sync()
  const time = agent.execute('guest-get-time')
  agree(await guest.next())
  await expect(ping).rejects.toMatchObject({
    code: 'AGENT_FORGOT',
    outcome: 'unknown',
    command: 'guest-ping',
  })
  await sync
  guest.reply(await guest.next(), 5)
  expect(await time).toBe(5)
})

test('a command that could not be sent for lack of synchronisation has the outcome unsent', async () => {
  const agent = await connected()
  const first = agent.execute('guest-ping', undefined, { timeoutMs: 10 })
  await guest.next()
  clock.pass(10)
  await expect(first).rejects.toMatchObject({ outcome: 'unknown' })
  const second = agent.execute('guest-get-time', undefined, { timeoutMs: 10 })
  await guest.next()
  clock.pass(10)
  await expect(second).rejects.toMatchObject({
    message: 'run guest-get-time on vm-001: no answer within 10 ms',
    code: 'QMP_TIMEOUT',
    outcome: 'unsent',
  })
})

test('malformed input does not end the client, and the next command synchronises', async () => {
  const agent = await connected()
  guest.raw('{"return": {"hal\n')
  const first = agent.execute('guest-ping')
  guest.reply(await guest.next())
  await first
  const second = agent.execute('guest-ping')
  agree(await guest.next())
  guest.reply(await guest.next())
  await second
})

test('the end of the port rejects pending commands and refuses later ones', async () => {
  const agent = await connected()
  const ping = agent.execute('guest-ping')
  await guest.next()
  guest.port.other?.end()
  await expect(ping).rejects.toThrow('run guest-ping on vm-001: it closed the connection')
  await expect(agent.execute('guest-info')).rejects.toMatchObject({
    code: 'QMP_CLOSED',
    outcome: 'unsent',
    command: 'guest-info',
  })
  expect(agent.state).toBe('closed')
})

describe('running a program through the guest agent', () => {
  test('exec() passes input and environment, returns outputs and status, and polls at growing intervals', async () => {
    const agent = await connected()
    const input = Uint8Array.of(0, 1, 0xff)
    const done = agent.exec(['cat', '-'], { input, env: { LANG: 'C' } })
    const start = await guest.next()
    expect(start.arguments).toEqual({
      path: 'cat',
      arg: ['-'],
      'capture-output': true,
      env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'LANG=C'],
      'input-data': 'AAH/',
    })
    guest.reply(start, { pid: 99 })
    for (const wait of [2, 3.2]) {
      const poll = await guest.next()
      expect(poll).toMatchObject({ execute: 'guest-exec-status', arguments: { pid: 99 } })
      guest.reply(poll, { exited: false })
      await guest.delivered()
      clock.pass(wait)
    }
    guest.reply(await guest.next(), { exited: true, exitcode: 3, 'out-data': 'AAH/', 'err-truncated': true })
    expect(await done).toEqual({
      status: 3,
      stdout: Buffer.from(input),
      stderr: Buffer.alloc(0),
      truncated: { stdout: false, stderr: true },
    })
  })

  test('exec() of a string runs a shell command, and a signal gives a status over 128', async () => {
    const agent = await connected()
    const done = agent.exec('kill -9 $$')
    const start = await guest.next()
    expect(start.arguments).toMatchObject({ path: '/bin/sh', arg: ['-c', 'kill -9 $$'] })
    expect(start.arguments).not.toHaveProperty('env')
    guest.reply(start, { pid: 1 })
    guest.reply(await guest.next(), { exited: true, signal: 9 })
    expect(await done).toMatchObject({ status: 137, signal: 9 })
  })

  test('exec() that times out names the process that continues in the guest', async () => {
    const agent = await connected()
    const done = agent.exec(['sleep', '9'], { timeoutMs: 50 })
    guest.reply(await guest.next(), { pid: 7 })
    const poll = await guest.next()
    clock.pass(49.5)
    guest.reply(poll, { exited: false })
    await expect(done).rejects.toMatchObject({
      message: expect.stringContaining('run sleep on vm-001: it has not ended within 50 ms'),
      code: 'QMP_TIMEOUT',
      outcome: 'unknown',
    })
  })

  test('the last status query of exec() has time for an answer', async () => {
    const agent = await connected()
    const begin = async (pid: number) => {
      const running = agent.exec(['sleep', '9'], { timeoutMs: 50 })
      guest.reply(await guest.next(), { pid })
      guest.reply(await guest.next(), { exited: false })
      await guest.delivered()
      clock.pass(50)
      return { running, last: await guest.next() }
    }
    const ended = await begin(1)
    clock.pass(200)
    guest.reply(ended.last, { exited: true, exitcode: 0 })
    expect(await ended.running).toMatchObject({ status: 0 })
    const silent = await begin(2)
    clock.pass(250)
    await expect(silent.running).rejects.toThrow(
      'it has not ended within 50 ms, and continues in the guest as process 2',
    )
  })

  test("exec() of a missing program fails with the agent's words, and an empty command is refused", async () => {
    const agent = await connected()
    const done = agent.exec(['nix'])
    guest.refuse(await guest.next(), 'Failed to execute child process “nix” (No such file or directory)')
    await expect(done).rejects.toThrow('run guest-exec on vm-001: Failed to execute child process “nix”')
    await expect(agent.exec([])).rejects.toMatchObject({ code: 'AGENT_NOTHING_TO_RUN', kind: 'usage' })
  })

  test('exec() refuses input that could end the agent before it sends anything', async () => {
    const agent = await connected()
    await expect(agent.exec(['cat'], { input: Buffer.alloc((1 << 20) + 1) })).rejects.toMatchObject({
      code: 'AGENT_INPUT_LIMIT',
      outcome: 'unsent',
      message: expect.stringContaining('1 MiB'),
    })
    const ping = agent.execute('guest-ping')
    const next = await guest.next()
    expect(next.execute).toBe('guest-ping')
    guest.reply(next, {})
    await ping
  })

  test('exec() without a time limit waits longer than the limit of one answer', async () => {
    const agent = await connected()
    const done = agent.exec(['sleep', '600'])
    guest.reply(await guest.next(), { pid: 7 })
    for (let passed = 0; passed < 120_000; passed += 1000) {
      guest.reply(await guest.next(), { exited: false })
      await guest.delivered()
      clock.pass(1000)
    }
    guest.reply(await guest.next(), { exited: true, exitcode: 5 })
    expect(await done).toMatchObject({ status: 5 })
  })
})
