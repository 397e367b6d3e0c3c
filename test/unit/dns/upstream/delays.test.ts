import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Cancellation } from '../../../../src/dns/upstream/cancellation.ts'
import { Delays } from '../../../../src/dns/upstream/delays.ts'
import { ManualClock } from '../../../support/manual-clock.ts'

describe('delays', () => {
  test('with the same length share one timer, and are over in order', () => {
    const clock = new ManualClock()
    const delays = new Delays(clock)
    const over: string[] = []
    delays.start(400, { due: () => over.push('a') })
    clock.pass(100)
    const b = delays.start(400, { due: () => over.push('b') })
    delays.after(400, () => over.push('c'))
    delays.start(50, { due: () => over.push('short') })
    expect(clock.waiting).toBe(2)
    b.cancel()
    b.cancel()
    clock.pass(50)
    clock.pass(250)
    expect(over).toEqual(['short', 'a'])
    clock.pass(100)
    expect(over).toEqual(['short', 'a', 'c'])
    expect(clock.waiting).toBe(0)
  })

  test('leave no timer behind when all were cancelled', () => {
    const clock = new ManualClock()
    const delays = new Delays(clock)
    const all = [1, 2, 3].map(() => delays.start(400, { due() {} }))
    for (const each of all) each.cancel()
    expect(clock.waiting).toBe(0)
  })

  test('may be started and cancelled by what is due', () => {
    const clock = new ManualClock()
    const delays = new Delays(clock)
    const over: string[] = []
    const other = { cancel() {} }
    delays.start(10, {
      due() {
        over.push('first')
        other.cancel()
        delays.start(10, { due: () => over.push('next') })
      },
    })
    other.cancel = delays.after(10, () => over.push('cancelled'))
    clock.pass(10)
    clock.pass(10)
    expect(over).toEqual(['first', 'next'])
    expect(clock.waiting).toBe(0)
  })

  test('do what timers of their own would do, through any operations', () => {
    const step = fc.oneof(
      fc.record({ start: fc.constantFrom(5, 20, 7.5) }),
      fc.record({ cancel: fc.nat(30) }),
      fc.record({ pass: fc.integer({ min: 1, max: 15 }) }),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), steps => {
        const [clock, plain] = [new ManualClock(), new ManualClock()]
        const delays = new Delays(clock)
        const [over, expected]: [number[], number[]] = [[], []]
        const cancels: (() => void)[] = []
        for (const each of steps) {
          if ('start' in each) {
            const id = cancels.length
            const cancelled = [
              delays.after(each.start, () => over.push(id)),
              plain.after(each.start, () => expected.push(id)),
            ]
            cancels.push(() => {
              for (const cancel of cancelled) cancel()
            })
          } else if ('cancel' in each) cancels[each.cancel]?.()
          // In small steps: a manual clock runs no timer that another one starts within a step.
          else for (let ms = 0; ms < each.pass; ms += 0.5) for (const one of [clock, plain]) one.pass(0.5)
        }
        expect(over.toSorted()).toEqual(expected.toSorted())
      }),
    )
  })
})

test('a cancellation reaches all that is pending, and nothing that was removed', () => {
  const cancellation = new Cancellation()
  const cancelled: number[] = []
  const pending = [0, 1, 2, 3].map(i => ({
    cancel() {
      cancelled.push(i)
      cancellation.remove(this)
    },
  }))
  for (const each of pending) cancellation.add(each)
  cancellation.remove(pending[1]!)
  cancellation.remove(pending[1]!)
  cancellation.cancel()
  expect(cancelled.toSorted()).toEqual([0, 2, 3])
  expect(cancellation.cancelled).toBe(true)
})
