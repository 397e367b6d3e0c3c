import { expect, test } from 'vitest'
import { openTaps, readSysctl } from '../../../src/sys/index.ts'

test('an interface name that the kernel would truncate, expand or refuse is refused, and the error quotes it', async () => {
  for (const name of ['', '.', '..', 'a b', 'a/b', 'a:b', 'tap%d', 'sixteen_bytes_16', 'ääääääää'])
    await expect(openTaps([name])).rejects.toThrow(`create tap ${name}`.trimEnd())
})

test('a sysctl that does not belong to a network namespace is refused', () => {
  for (const name of ['kernel/hostname', 'net/../kernel/hostname', 'net', '/net/ipv4/ip_forward', 'net//x'])
    expect(() => readSysctl(undefined, name)).toThrow('has the form net/ipv4/ip_forward')
})
