import { expect, test } from 'vitest'
import type { Status } from '../../../src/api/index.ts'
import { routeOf, routeText } from '../../../src/cli/view/dns-route.ts'

const pair = (host: string) => ({ ipv4: `172.30.0.${host}`, ipv6: `fd00:1723::${host}` })
const net = { net: 0, dev: 'eth0', tap: '', mac: '', ipv4: '192.168.0.1', ipv6: 'fd00::c0a8:1' }
const status = {
  ...{ v: 1, name: 'default', fabric: 'bridge', dns: { address: '192.168.0.250', port: 53 } },
  nodes: [{ nets: [net] }, { nets: [{ ...net, ipv4: '192.168.0.2' }] }],
  uplink: { link: 'xcluster0', inside: pair('2'), outside: pair('3'), table: '', sysctls: [] },
} as unknown as Status

test('with an uplink the lines name its link and the address inside, the domain and the reverse zones', () => {
  const route = routeOf(status, 'lab.test')
  expect(route).toMatchObject({ address: '172.30.0.2', port: 10053, link: 'xcluster0' })
  expect(route.zones.slice(0, 2)).toEqual(['lab.test', '0.168.192.in-addr.arpa'])
  expect(route.zones[2]).toMatch(/^0\.0\.8\.a\.0\.c\.(0\.){20}0\.0\.d\.f\.ip6\.arpa$/)
  expect(route.zones).toHaveLength(3)
  const text = routeText(route)
  expect(text).toContain('\nresolvectl dns xcluster0 172.30.0.2:10053\n')
  expect(text).toContain("\nresolvectl domain xcluster0 '~lab.test' '~0.168.192.in-addr.arpa' '~")
  expect(text).toContain('\nserver=/lab.test/172.30.0.2#10053\n')
  expect(text).toContain('  forward-addr: 172.30.0.2@10053\n')
  expect(text).toContain('xc dns --zone lab.test=172.30.0.2:10053 ')
})

test('in user space there is no link, and the forwarder is on loopback', () => {
  const { uplink: _, ...others } = status
  const user = { ...others, fabric: 'user', dns: { address: '127.0.0.1', port: 40_000 } } as Status
  const route = routeOf(user, 'lab.test')
  expect(route).toMatchObject({ address: '127.0.0.1', port: 40_000 })
  expect(route.link).toBeUndefined()
  expect(routeText(route)).not.toContain('resolvectl')
  expect(routeText(route)).toContain('[Delegate]\nDNS=127.0.0.1:40000\nDomains=lab.test ')
})

test.each([
  ['NO_DOMAIN', status, undefined],
  ['DNS_OFF', { ...status, dns: undefined }, 'lab.test'],
  ['DNS_UNREACHABLE', { ...status, uplink: undefined }, 'lab.test'],
])('%s is said with a remedy', (...[code, given, domain]) => {
  const refusal = {
    code,
    kind: 'prerequisite',
    target: 'default',
    remedy: expect.stringMatching(/^Start it with/),
  }
  expect(() => routeOf(given as Status, domain)).toThrow(expect.objectContaining(refusal) as Error)
})
