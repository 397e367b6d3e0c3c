import { afterEach, expect, test, vi } from 'vitest'
import { mustHave } from '../../../bench/needs.ts'

afterEach(() => {
  vi.unstubAllEnvs()
})

test('missing programs are named with their packages, each once', () => {
  vi.stubEnv('PATH', '/nowhere')
  expect(() => mustHave(['taskset', 'dnsperf', 'nsenter'])).toThrow(
    'taskset, dnsperf, nsenter not found. Run: apt-get install --no-install-recommends util-linux dnsperf',
  )
})

test('installed programs cause no error', () => {
  expect(() => mustHave([])).not.toThrow()
  expect(() => mustHave(['cc'])).not.toThrow()
})
