import { describe, expect, test } from 'vitest'
import { planUplink } from '../../../src/plan/index.ts'
import { overlap } from '../../../src/plan/network/uplink.ts'

const ipv6Prefix = 'fd00:1723::'

// The addresses of the contract: inside A.B.C.(D+2i), outside A.B.C.(D+2i+1).
describe('planUplink', () => {
  test.each([
    ['172.30.0.0/24', 1, '172.30.0.2', '172.30.0.3', '172.30.0.0/24', 'fd00:1723::ac1e:0/120'],
    ['172.30.0.0/24', 127, '172.30.0.254', '172.30.0.255', '172.30.0.0/24', 'fd00:1723::ac1e:0/120'],
    ['10.1.2.16/28', 7, '10.1.2.30', '10.1.2.31', '10.1.2.16/28', 'fd00:1723::a01:210/124'],
    ['10.1.2.20/28', 0, '10.1.2.20', '10.1.2.21', '10.1.2.16/28', 'fd00:1723::a01:210/124'],
    ['10.1.0.0/16', 127, '10.1.0.254', '10.1.0.255', '10.1.0.0/16', 'fd00:1723::a01:0/112'],
    ['172.30', 5, '172.30.0.5', '172.30.1.5', '172.30.0.0/22', 'fd00:1723::ac1e:0/118'],
  ] as const)(
    'gives the addresses in %s of number %i',
    (...[ipv4Base, index, inside, outside, ipv4, ipv6]) => {
      const plan = planUplink({ index, ipv4Base, ipv6Prefix })
      expect(plan).toMatchObject({
        ...{ link: `xcluster${index}`, peer: `host${index}`, base: { ipv4, ipv6 } },
        ...{ inside: { ipv4: inside }, outside: { ipv4: outside } },
      })
    },
  )

  test('has the IPv4 address in the low bits of the IPv6 address', () => {
    const { inside, outside } = planUplink({ index: 1, ipv4Base: '172.30.0.0/24', ipv6Prefix })
    expect([inside.ipv6, outside.ipv6]).toEqual(['fd00:1723::ac1e:2', 'fd00:1723::ac1e:3'])
  })

  test.each([
    ['172.30.0.0/24', 128, 127],
    ['172.30.0.16/28', 8, 7],
    ['172.30.0.20/28', 6, 5],
    ['172.30.0.0/31', 1, 0],
  ] as const)('%s has no addresses for uplink %i', (ipv4Base, index, most) => {
    const plan = () => planUplink({ index, ipv4Base, ipv6Prefix })
    expect(plan).toThrow(`it has room for the numbers 0 to ${most}`)
    expect(() => planUplink({ index: most, ipv4Base, ipv6Prefix })).not.toThrow()
  })
})

test.each([
  ['172.30.0.0/24', '172.30.0.128/25', true],
  ['172.30.0.0/24', '172.30.1.0/24', false],
  ['172.30.0.5/32', '172.30.0.0/16', true],
  ['0.0.0.0/0', '172.30.0.0/24', true],
  ['fd00:1723::/64', 'fd00:1723::ac1e:0/120', true],
  ['fd00:1724::/64', 'fd00:1723::ac1e:0/120', false],
  ['::/96', '0.0.0.0/0', false],
])('%s and %s overlap: %s', (one, other, expected) => {
  expect([overlap(one, other), overlap(other, one)]).toEqual([expected, expected])
})
