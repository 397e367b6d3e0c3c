import { expect, test } from 'vitest'
import { faultOf } from '../../../scripts/prebuild/check.js'
import { oldestGlibc, targets } from '../../../scripts/prebuild/targets.js'

const [target] = targets
const { machine } = target!
const addon = {
  name: 'xcluster.node',
  arch: 'x64',
  size: 1,
  libraries: ['libc.so.6'],
  glibc: '2.27',
  symbols: [],
}
const launcher = { ...addon, name: 'xcluster-launcher', libraries: [], glibc: undefined }

test('prebuilt files for the oldest glibc that is promised are accepted', () => {
  expect(faultOf(addon, machine, target!)).toBeUndefined()
  expect(faultOf({ ...addon, glibc: oldestGlibc }, machine, target!)).toBeUndefined()
  expect(faultOf(launcher, machine, target!)).toBeUndefined()
})

test('a prebuilt file that would not run everywhere is refused with the reason', () => {
  expect(faultOf({ ...addon, glibc: '2.34' }, machine, target!)).toBe('it needs glibc 2.34, newer than 2.31')
  expect(faultOf({ ...addon, libraries: ['libc.so.6', 'libstdc++.so.6'] }, machine, target!)).toBe(
    'it needs libstdc++.so.6',
  )
  expect(faultOf({ ...launcher, libraries: ['libc.so.6'] }, machine, target!)).toBe('it needs libc.so.6')
  expect(faultOf(addon, 'AArch64', target!)).toBe(`it is for AArch64, not for ${machine}`)
  expect(faultOf({ ...addon, symbols: ['strerror_r'] }, machine, target!)).toBe(
    'it uses strerror_r, which differs between C libraries',
  )
})
