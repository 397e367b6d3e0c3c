import { expect, test } from 'vitest'
import { addressBytes } from '../../../src/base/index.ts'
import { allowing } from '../../../src/dns/wire/networks.ts'

const nets = ['127.0.0.0/8', '::1/128', '192.168.0.0/24', '10.32.0.0/11', 'fd00::c0a8:0/120', '2001:db8::/33']

test.each([
  ['127.0.0.1', true],
  ['127.255.255.255', true],
  ['::1', true],
  ['::ffff:127.0.0.1', true],
  ['::ffff:192.168.0.77', true],
  ['192.168.0.1', true],
  ['192.168.1.1', false],
  ['10.63.255.255', true],
  ['10.64.0.0', false],
  ['fd00::c0a8:fe', true],
  ['fd00::c0a8:1fe', false],
  ['2001:db8:7fff::1', true],
  ['2001:db8:8000::1', false],
  ['fe80::1%eth0', false],
  ['8.8.8.8', false],
])('%s has access: %s', (address, may) => {
  expect(allowing(nets)(address)).toBe(may)
  if (!address.includes('%')) expect(allowing(nets)(addressBytes(address))).toBe(may)
})

test('access can be given to every address, or to none', () => {
  expect(allowing(['0.0.0.0/0', '::/0'])('8.8.8.8')).toBe(true)
  expect(allowing([])('127.0.0.1')).toBe(false)
  expect(() => allowing(['localhost'])).toThrow(/localhost/)
})
