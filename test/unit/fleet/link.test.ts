import { Duplex } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import { expect, test } from 'vitest'
import type { Clock } from '../../../src/base/index.ts'
import { Link } from '../../../src/fleet/link.ts'

/** A link to an end that says nothing, on a clock that runs `next` when it is told to. */
function silent(): { lost: string[]; started(): void; at(ms: number): void } {
  let [now, next] = [0, () => {}]
  const clock = {
    now: () => now,
    after(_: number, run: () => void) {
      next = run
      return () => {}
    },
  } as unknown as Clock
  const lost: string[] = []
  const link = new Link(
    new Duplex({ read() {}, write: (_, __, done) => done() }) as unknown as TLSSocket,
    { message() {}, lost: reason => lost.push(reason) },
    clock,
  )
  return {
    lost,
    started: () => link.started(),
    at(ms) {
      now = ms
      next()
    },
  }
}

test('an end that says nothing counts as dead after four seconds', () => {
  const { lost, started, at } = silent()
  started()
  for (const ms of [1000, 2000, 3000, 4000]) at(ms)
  expect(lost).toEqual([])
  at(5000)
  expect(lost).toEqual(['it has said nothing for 5 s'])
})

test('an end that still starts may be busy for half a minute', () => {
  const { lost, at } = silent()
  for (let s = 1; s <= 30; s++) at(1000 * s)
  expect(lost).toEqual([])
  at(31_000)
  expect(lost).toEqual(['it has said nothing for 31 s'])
})

test('a process that did not run itself for some seconds does not take the other end for dead', () => {
  const { lost, started, at } = silent()
  started()
  at(1000)
  at(19_000)
  expect(lost).toEqual([])
  at(20_000)
  expect(lost).toEqual(['it has said nothing for 20 s'])
})
