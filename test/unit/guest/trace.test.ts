import { expect, test } from 'vitest'
import type { Port, PortReceiver } from '../../../src/base/index.ts'
import { GuestChannel } from '../../../src/guest/channel.ts'
import type { GuestTraceValue } from '../../../src/guest/index.ts'
import { configureSteps } from '../../../src/guest/steps.ts'
import { planCluster, resolveSettings } from '../../../src/plan/index.ts'
import { answerBytes } from '../../support/fake-guest.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { Traces } from '../../support/traces.ts'

const seed = Buffer.from('a seed of exactly forty-eight bytes for the guest')
const node = planCluster(resolveSettings({ options: {} })).nodes[0]!
const steps = configureSteps(node, { clone: true, nowNs: 1n, seed, scripts: true })

/** A fake guest that takes 5 ms for each message, and answers what the test wants. */
function guest(says: (number: number) => string | undefined) {
  let receiver: PortReceiver | undefined
  const clock = new ManualClock()
  const port: Port = {
    receive(to) {
      receiver = to
    },
    send(bytes) {
      const line = says(Buffer.from(bytes).readUInt32LE(8))
      clock.pass(5)
      if (line !== undefined) receiver!.data(answerBytes(line))
    },
    close: async () => {},
    [Symbol.asyncDispose]: async () => {},
  }
  const wire = new GuestChannel(port, {
    ...{ name: 'vm-001', consoleLog: '/log', clock },
    wallClock: () => 0,
    randomBytes: count => new Uint8Array(count),
  })
  return { wire, clock, end: () => receiver!.end() }
}

test('a message to a guest is traced as steps with sizes, and its answer with clock and duration', async () => {
  using traces = new Traces<GuestTraceValue>('guest')
  await guest(number => `${number} ok 1700000000123456789\n`).wire.apply(steps, 1000)
  const [sent, answer] = traces.messages
  expect(sent).toMatchObject({ direction: 'sent', peer: 'vm-001', what: `${steps.length} steps` })
  expect(sent!.value.steps!.map(({ about }) => about)).toEqual(steps.map(({ about }) => about))
  expect(sent!.value.steps![0]).toEqual({
    kind: 'random',
    about: 'reseed the random number generator',
    bytes: 33,
  })
  expect(answer).toMatchObject({
    direction: 'received',
    what: `done ${steps.length} steps`,
    ms: 5,
    value: { number: sent!.value.number, clock: '2023-11-14T22:13:20.123456789Z' },
  })
})

test('the traces of a guest have neither the random seed nor the content of files', async () => {
  using traces = new Traces('guest')
  await guest(number => `${number} ok 1\n`).wire.apply(steps, 1000)
  const machineId = steps.find(step => step.about === 'write /etc/machine-id')!
  const secrets = [
    seed.toString('hex'),
    seed.subarray(16).toString('hex'),
    seed.toString(),
    ('content' in machineId ? machineId.content.toString() : '?').trim(),
  ]
  const all = JSON.stringify(traces.messages) + traces.lines.join('\n')
  for (const secret of secrets) expect(all).not.toContain(secret)
  expect(all).toContain('write /etc/machine-id')
})

test('a failed step in a guest is traced with its description and the kernel’s reason', async () => {
  using traces = new Traces<GuestTraceValue>('guest')
  await expect(guest(number => `${number} failed 1 17 \n`).wire.apply(steps, 1000)).rejects.toThrow(
    'File exists',
  )
  expect(traces.messages[1]).toMatchObject({
    what: `failed ${steps.length} steps`,
    value: { failed: { step: 1, about: 'set the clock', reason: 'File exists (EEXIST)' } },
  })
})

test('a guest that does not answer in time, one whose QEMU ends, and answers without a message are traced', async () => {
  using traces = new Traces<GuestTraceValue>('guest')
  const { wire, clock, end } = guest(() => '7 ok 18446744073709551615')
  const late = wire.apply(steps.slice(0, 1), 100)
  clock.pass(100)
  await expect(late).rejects.toThrow('did not answer')
  const lost = wire.apply(steps.slice(0, 1), 1000)
  end()
  await expect(lost).rejects.toThrow('closed the channel')
  expect(traces.messages.map(({ what, value: { lost, clock } }) => [what, lost ?? clock])).toEqual([
    ['1 step', undefined],
    ['done without a pending message', '2554-07-21T23:34:33.709551615Z'],
    ['no answer to 1 step', 'the guest did not answer within 0.1 s'],
    ['1 step', undefined],
    ['done without a pending message', '2554-07-21T23:34:33.709551615Z'],
    ['no answer to 1 step', 'its QEMU closed the channel'],
  ])
})
