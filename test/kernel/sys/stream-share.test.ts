import { closeSync, writeSync } from 'node:fs'
import { expect } from 'vitest'
import { adoptStream, socketPair } from '../../../src/sys/index.ts'
import { test } from '../../support/leaks.ts'
import { waitFor } from '../../support/wait.ts'

const turns = async (count: number) => {
  for (let turn = 0; turn < count; turn++) await new Promise(resolve => setImmediate(resolve))
}

/** A receiver that takes this process longer than any share allows. */
function busy(ms: number): void {
  const end = performance.now() + ms
  while (performance.now() < end);
}

test('a port beyond its share of this process rests, loses nothing, and others are read meanwhile', async ({
  census,
}) => {
  const [[near, far], [otherNear, otherFar]] = [socketPair(), socketPair()]
  const flooded = adoptStream(near, { share: 1 })
  const other = adoptStream(otherNear)
  let received = 0
  let others = 0
  flooded.receive({
    data: bytes => {
      received += bytes.length
      busy(20)
    },
    end: () => {},
  })
  other.receive({
    data: bytes => {
      others += bytes.length
    },
    end: () => {},
  })
  writeSync(far, 'first')
  await waitFor(() => received === 5, 10_000)
  writeSync(far, 'second')
  writeSync(otherFar, 'other')
  await waitFor(() => others === 5, 10_000)
  await turns(50)
  expect(received).toBe(5)
  expect(await waitFor(() => received === 11, 10_000)).toBe(true)
  await Promise.all([flooded.close(), other.close()])
  for (const fd of [far, otherFar]) closeSync(fd)
  await census.expectUnchanged()
})
