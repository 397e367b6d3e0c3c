import { expect, test } from 'vitest'
import { isMapped } from '../../../src/host/qemu-user.ts'

test('a user id can be used only if the user namespace maps it', () => {
  expect(isMapped(1_900_000_001, '         0          0 4294967295\n')).toBe(true)
  expect(isMapped(1_900_000_001, '         0     100000      65536\n')).toBe(false)
  expect(isMapped(65535, '0 100000 65536')).toBe(true)
  expect(isMapped(1005, '0 100000 1000\n1000 300000 10\n')).toBe(true)
  expect(isMapped(5, '')).toBe(false)
})
