import { expect, test } from 'vitest'
import { openTaps, readSysctl } from '../../../src/sys/index.ts'

test('interface names that the kernel would cut, expand or refuse are refused by name', () => {
  for (const name of ['', '.', '..', 'a b', 'a/b', 'a:b', 'tap%d', 'sixteen_bytes_16', 'ääääääää'])
    expect(() => openTaps([name])).toThrow(`create tap ${name}`.trimEnd())
})

test('settings outside a namespace’s own are refused', () => {
  for (const name of ['kernel/hostname', 'net/../kernel/hostname', 'net', '/net/ipv4/ip_forward', 'net//x'])
    expect(() => readSysctl(undefined, name)).toThrow('not of the form net/ipv4/ip_forward')
})
