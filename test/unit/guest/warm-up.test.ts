import { expect, test } from 'vitest'
import { defer } from '../../../src/base/index.ts'
import { warmUp } from '../../../src/guest/index.ts'
import type { Machine } from '../../../src/vm/index.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { portPair } from '../../support/qmp-fake.ts'

test('a warm-up of a silent guest ends with its VM, without waiting for the guest', async () => {
  const clock = new ManualClock()
  const died = defer<undefined>()
  const [stream] = portPair()
  const machine = { name: 'template', stream, died: died.promise } as unknown as Machine
  const sources = { clock, wallClock: () => 0, randomBytes: (count: number) => new Uint8Array(count) }
  const warming = warmUp(1, sources).run(machine)
  died.resolve(undefined)
  await expect(warming).rejects.toMatchObject({ code: 'GUEST_SILENT', reason: 'its VM has ended' })
  expect(clock.now()).toBe(0)
  expect(clock.waiting).toBe(0)
})
