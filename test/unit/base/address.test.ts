import { expect, test } from 'vitest'
import { addressBytes, addressText, macBytes, macText, parseCidr } from '../../../src/base/index.ts'

test('addresses go to bytes and back in their usual spelling', () => {
  expect([...addressBytes('192.168.0.250')]).toEqual([192, 168, 0, 250])
  expect(addressText(addressBytes('fd00:0:0:0:0:0:c0a8:00fa'))).toBe('fd00::c0a8:fa')
  expect(macText(macBytes('00:00:00:01:00:FA'))).toBe('00:00:00:01:00:fa')
  expect(parseCidr('fd00::192.168.0.250/120')).toEqual({ address: 'fd00::c0a8:fa', prefix: 120 })
})

test('what is no address is refused by name', () => {
  expect(() => addressBytes('192.168.0')).toThrow("'192.168.0' is not an IP address")
  expect(() => parseCidr('192.168.0.1')).toThrow("'192.168.0.1' is not an address/length")
  expect(() => macBytes('00:00')).toThrow("'00:00' is not an Ethernet address")
})
