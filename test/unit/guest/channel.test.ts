import { expect, test } from 'vitest'
import type { Port, PortReceiver } from '../../../src/base/index.ts'
import { GuestChannel } from '../../../src/guest/channel.ts'
import { clockStep } from '../../../src/guest/steps.ts'
import { ManualClock } from '../../support/manual-clock.ts'

/** A guest that says to each message, by its number, what the test wants. */
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
  const wire = new GuestChannel(port, {
    ...{ name: 'vm-001', consoleLog: '/log', clock },
    wallClock: () => 0,
    randomBytes: count => new Uint8Array(count),
  })
  return { wire, clock, end: () => receiver!.end() }
}

const steps = [clockStep(1n), { ...clockStep(2n), about: 'add address 1.2.3.4/24 (eth1)' }]

test('a guest that has done all says its clock', async () => {
  await expect(guest(number => `${number} ok 17\n`).wire.tell(steps)).resolves.toBe(17n)
})

test('a step that fails is named, with the reason that the kernel gave', async () => {
  const { wire } = guest(number => `${number} failed 1 17 \n`)
  await expect(wire.tell(steps)).rejects.toMatchObject({
    code: 'NODE_CONFIG',
    target: 'vm-001',
    reason: 'add address 1.2.3.4/24 (eth1): File exists (EEXIST)',
  })
})

test('answers to other messages, and what is none, are passed over', async () => {
  const { wire, clock } = guest(number => `${number + 1} ok 17\nnoise\n`)
  const told = wire.tell(steps, 500)
  clock.pass(500)
  await expect(told).rejects.toMatchObject({ reason: 'it did not answer within 0.5 s' })
})

test('a guest that goes takes its answers with it, at once and afterwards', async () => {
  const { wire, end } = guest(() => undefined)
  const told = wire.tell(steps)
  end()
  await expect(told).rejects.toMatchObject({ reason: 'its QEMU closed the channel' })
  await expect(wire.tell(steps)).rejects.toMatchObject({ code: 'NODE_CONFIG' })
})
