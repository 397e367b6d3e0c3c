import { afterEach, expect, test, vi } from 'vitest'
import { mustHave } from '../../../bench/needs.ts'

afterEach(() => {
  vi.unstubAllEnvs()
})

test('programs that are not there are named, and each of their packages once', () => {
  vi.stubEnv('PATH', '/nowhere')
  expect(() => mustHave(['taskset', 'dnsperf', 'nsenter'])).toThrow(
    'taskset, dnsperf, nsenter not found. Run: apt-get install --no-install-recommends util-linux dnsperf',
  )
})

test('those that are there are no matter', () => {
  expect(() => mustHave([])).not.toThrow()
  expect(() => mustHave(['cc'])).not.toThrow()
})
