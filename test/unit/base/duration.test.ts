import { expect, test } from 'vitest'
import { durationText } from '../../../src/base/index.ts'

test.each([
  [11_999.413121000049, '12 s'],
  [1500, '1.5 s'],
  [333.33333, '0.33 s'],
  [50, '50 ms'],
  [0.7, '1 ms'],
  [86_400_000, '86400 s'],
])('%d ms are written as %s', (ms, text) => {
  expect(durationText(ms)).toBe(text)
})
