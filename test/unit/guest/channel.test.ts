import { expect, test } from 'vitest'
import type { Port, PortReceiver } from '../../../src/base/index.ts'
import { GuestChannel } from '../../../src/guest/channel.ts'
import { clockStep } from '../../../src/guest/steps.ts'
import { ManualClock } from '../../support/manual-clock.ts'

/** A guest that answers each message, by its number, with what `says` returns. */
function guest(says: (number: number) => string | undefined) {
  let receiver: PortReceiver | undefined
  const port: Port = {
    receive(to) {
      receiver = to
    },
    send(bytes) {
      const line = says(Buffer.from(bytes).readUInt32LE(4))
      if (line !== undefined) receiver!.data(Buffer.from(line))
    },
    close: async () => {},
    [Symbol.asyncDispose]: async () => {},
  }
  const clock = new ManualClock()
  const channel = new GuestChannel(port, {
    ...{ name: 'vm-001', consoleLog: '/log', clock },
    wallClock: () => 0,
    randomBytes: count => new Uint8Array(count),
  })
  return { channel, clock, end: () => receiver!.end() }
}

const steps = [clockStep(1n), { ...clockStep(2n), about: 'add address 1.2.3.4/24 (eth1)' }]

test('a guest that has carried out all steps answers with its clock', async () => {
  await expect(guest(number => `${number} ok 17\n`).channel.apply(steps)).resolves.toBe(17n)
})

test("the error of a failed step names the step, with the guest's kernel's reason", async () => {
  const { channel } = guest(number => `${number} failed 1 17 \n`)
  await expect(channel.apply(steps)).rejects.toMatchObject({
    code: 'NODE_CONFIG',
    target: 'vm-001',
    reason: 'add address 1.2.3.4/24 (eth1): File exists (EEXIST)',
  })
})

test('the channel ignores answers to other messages, and lines that are not answers', async () => {
  const { channel, clock } = guest(number => `${number + 1} ok 17\nnoise\n`)
  const applied = channel.apply(steps, 500)
  clock.pass(500)
  await expect(applied).rejects.toMatchObject({ reason: 'the guest did not answer within 0.5 s' })
})

test('a closed channel fails its pending messages and all later ones', async () => {
  const { channel, end } = guest(() => undefined)
  const applied = channel.apply(steps)
  end()
  await expect(applied).rejects.toMatchObject({ reason: 'its QEMU closed the channel' })
  await expect(channel.apply(steps)).rejects.toMatchObject({ code: 'NODE_CONFIG' })
})
