import { expect, test } from 'vitest'
import type { Port, PortReceiver } from '../../../src/base/index.ts'
import { GuestChannel } from '../../../src/guest/channel.ts'
import { clockStep } from '../../../src/guest/steps.ts'
import { spawnCommand } from '../../../src/stream/command.ts'
import { frame, runCommand } from '../../../src/stream/index.ts'
import { exitPayload, numberPayload, opened, payloadOf } from '../../../src/stream/payloads.ts'
import { answerBytes } from '../../support/fake-guest.ts'
import { ManualClock } from '../../support/manual-clock.ts'

/** A guest that answers each message, by its number, with what `says` returns. */
function guest(says: (number: number) => string | undefined) {
  let receiver: PortReceiver | undefined
  let closed = false
  const port: Port = {
    receive(to) {
      receiver = to
    },
    send(bytes) {
      const line = says(Buffer.from(bytes).readUInt32LE(8))
      if (line !== undefined) receiver!.data(answerBytes(line))
    },
    close: async () => {
      closed = true
    },
    [Symbol.asyncDispose]: async () => {},
  }
  const clock = new ManualClock()
  const channel = new GuestChannel(port, {
    ...{ name: 'vm-001', consoleLog: '/log', clock },
    wallClock: () => 0,
    randomBytes: count => new Uint8Array(count),
  })
  return {
    ...{ channel, clock },
    end: () => receiver!.end(),
    say: (bytes: Uint8Array) => receiver!.data(bytes),
    isClosed: () => closed,
  }
}

const steps = [clockStep(1n), { ...clockStep(2n), about: 'add address 1.2.3.4/24 (eth1)' }]

test('a guest that has carried out all steps answers with its clock', async () => {
  await expect(guest(number => `${number} ok 17\n`).channel.apply(steps, 1000)).resolves.toBe(17n)
})

test("the error of a failed step names the step, with the guest's kernel's reason", async () => {
  const { channel } = guest(number => `${number} failed 1 17 \n`)
  await expect(channel.apply(steps, 1000)).rejects.toMatchObject({
    code: 'NODE_CONFIG',
    target: 'vm-001',
    reason: 'add address 1.2.3.4/24 (eth1): File exists (EEXIST)',
  })
})

test('the channel ignores answers to other messages', async () => {
  const { channel, clock } = guest(number => `${number + 1} ok 17\n`)
  const applied = channel.apply(steps, 500)
  clock.pass(500)
  await expect(applied).rejects.toMatchObject({ reason: 'the guest did not answer within 0.5 s' })
})

test('a closed channel fails its pending messages and all later ones', async () => {
  const { channel, end } = guest(() => undefined)
  const applied = channel.apply(steps, 1000)
  end()
  await expect(applied).rejects.toMatchObject({ reason: 'its QEMU closed the channel' })
  await expect(channel.apply(steps, 1000)).rejects.toMatchObject({ code: 'GUEST_SILENT' })
})

const exited = frame('exited', 4711, { payload: Buffer.alloc(4) })

test.for<[string, Uint8Array]>([
  ['empty frames', frame('end', 9)],
  ['the ends of commands that it does not run', exited],
  ['answers that nothing waits for', answerBytes('4711 ok 1')],
  ['restarts of its program', frame('restarted', 0, { payload: Buffer.alloc(16) })],
])('a guest that floods its channel with %s has it closed, and later messages say why', async ([, bytes]) => {
  const { channel, say, isClosed } = guest(() => undefined)
  const applied = channel.apply(steps, 1000)
  applied.catch(() => {})
  for (let sent = 0; sent < 10_000; sent++) say(bytes)
  expect(isClosed()).toBe(true)
  const reason = 'the guest sent much that nothing had asked for, so its channel has been closed'
  await expect(channel.apply(steps, 1000)).rejects.toMatchObject({ code: 'GUEST_SILENT', reason })
  await expect(runCommand(channel.streams, ['true'], { clock: channel.clock })).rejects.toMatchObject({
    code: 'EXEC_LOST',
    reason,
  })
})

test.for<[string, Uint8Array, string]>([
  ['of a kind that only hosts send', frame('signal', 1, { payload: Buffer.alloc(4) }), 'a frame of kind 6'],
  ['longer than a guest can send', frame('exited', 1, { payload: Buffer.alloc(5) }), '5 bytes in a frame'],
  ['that claims 4 GiB', Buffer.from('ffffffff0300010001000000', 'hex'), '4294967295 bytes in a frame'],
  ['of text', Buffer.from('17 ok 1700000000\n'), 'a frame of kind'],
])('a guest that sends a frame %s has its channel closed', async ([, bytes, why]) => {
  const { channel, say, isClosed } = guest(() => undefined)
  say(bytes)
  expect(isClosed()).toBe(true)
  await expect(channel.apply(steps, 1000)).rejects.toMatchObject({ reason: expect.stringContaining(why) })
})

test('a guest may answer late, and its program may be restarted, as often as that happens', async () => {
  const { channel, clock, say, isClosed } = guest(number => `${number} ok 17\n`)
  for (let hour = 0; hour < 100; hour++) {
    say(answerBytes('4711 ok 1'))
    say(answerBytes('4711 failed 0 1 '))
    say(frame('restarted', 0, { payload: Buffer.alloc(16) }))
    clock.pass(3_600_000)
  }
  expect(isClosed()).toBe(false)
  await expect(channel.apply(steps, 1000)).resolves.toBe(17n)
})

test('credit for input and answers were asked for, however many there are', async () => {
  const { channel, say, isClosed } = guest(() => undefined)
  const starting = spawnCommand(channel.streams, { words: ['cat'] }, { clock: channel.clock })
  say(frame('open', 1, { payload: payloadOf(opened, { error: 0, pid: 9, window: 100 }) }))
  const command = await starting
  for (let sent = 0; sent < 10_000; sent++) {
    command.stdin.write('x')
    say(frame('credit', 1, { payload: numberPayload(1) }))
  }
  expect(isClosed()).toBe(false)
  say(frame('exited', 1, { payload: exitPayload(0) }))
  await expect(command.exit).resolves.toEqual({ status: 0 })

  const busy = guest(number => `${number} ok 17\n`)
  for (let sent = 0; sent < 10_000; sent++) await busy.channel.apply(steps, 1000)
  expect(busy.isClosed()).toBe(false)
})

test('a restart of its program fails what the guest was asked before, at once', async () => {
  const { channel, say } = guest(() => undefined)
  const applied = channel.apply(steps, 60_000)
  const running = runCommand(channel.streams, ['sleep'], { clock: channel.clock })
  say(frame('restarted', 0, { payload: Buffer.alloc(16, 7) }))
  const reason = 'xcluster-guest was restarted in the guest'
  await expect(applied).rejects.toMatchObject({ code: 'GUEST_SILENT', reason })
  await expect(running).rejects.toMatchObject({ code: 'EXEC_LOST', reason })
})
