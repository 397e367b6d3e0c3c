import { expect } from 'vitest'
import type { Observed } from '../../../../src/plan/index.ts'

type Mutable<T> = { -readonly [K in keyof T]: T[K] extends object ? Mutable<T[K]> : T[K] }
/** What a node has, to be changed. */
export type State = Mutable<Observed>

export const without = <T>(list: T[], is: (each: T) => boolean) => {
  expect(list.some(is)).toBe(true)
  return list.filter(each => !is(each))
}
export const route = (state: State, destination: string, family = 4) =>
  state.routes.find(each => each.destination === destination && each.family === family)!
export const extra = (destination: string, via: string, more = {}) => ({
  ...{ family: 4 as const, table: 254, destination, type: 'unicast', metric: 0 },
  hops: [{ dev: 'eth1', via, weight: 1 }],
  ...more,
})
const both = 'via 192.168.1.201 over eth1 and via 192.168.1.202 over eth1'
const both6 = 'via fd00::c0a8:1c9 over eth1 and via fd00::c0a8:1ca over eth1'

/** One fault each: its name, the node, what is changed there, and what a verification says. */
export const faults: readonly (readonly [string, number, (state: State) => void, string])[] = [
  [
    'a missing interface',
    1,
    s => {
      s.links = without(s.links, ({ name }) => name === 'eth0')
    },
    'vm-001: interface eth0: missing (there)',
  ],
  [
    'an interface that is down',
    2,
    s => {
      s.links[1]!.up = false
    },
    'vm-002: interface eth1: down (up)',
  ],
  [
    'an interface without carrier',
    201,
    s => {
      s.links[2]!.carrier = false
    },
    'vm-201: interface eth2: up without carrier (up)',
  ],
  [
    'a wrong MTU',
    1,
    s => {
      s.links[1]!.mtu = 1400
    },
    'vm-001: MTU of eth1: 1400 (1500)',
  ],
  [
    'a wrong IPv6 MTU',
    1,
    s => {
      s.sysctls['net/ipv6/conf/eth1/mtu'] = '1280'
    },
    'vm-001: net.ipv6.conf.eth1.mtu: 1280 (1500)',
  ],
  [
    'a path MTU of a route',
    1,
    s => {
      route(s, 'default').mtu = 1300
    },
    'vm-001: path MTU of route default of IPv4: 1300 (that of the interface)',
  ],
  [
    'a wrong Ethernet address',
    201,
    s => {
      s.links[1]!.mac = '02:00:00:00:00:01'
    },
    'vm-201: Ethernet address of eth1: 02:00:00:00:00:01 (00:00:00:01:01:c9)',
  ],
  [
    'an interface that is a port of a bridge',
    1,
    s => {
      s.links[1]!.master = 'br0'
    },
    'vm-001: interface eth1 as a port: of br0 (of no bridge)',
  ],
  [
    'a missing IPv4 address',
    1,
    s => {
      s.addresses = without(s.addresses, ({ address }) => address === '192.168.1.1')
    },
    'vm-001: address 192.168.1.1/24 of eth1: missing (there)',
  ],
  [
    'a missing IPv6 address',
    221,
    s => {
      s.addresses = without(s.addresses, ({ address }) => address === 'fd00::c0a8:2dd')
    },
    'vm-221: address fd00::c0a8:2dd/120 of eth1: missing (there)',
  ],
  [
    'an address on another interface',
    1,
    s => {
      s.addresses.find(({ address }) => address === '192.168.1.1')!.dev = 'eth0'
    },
    'vm-001: address 192.168.1.1/24 of eth1: on eth0 (there)',
  ],
  [
    'a wrong prefix length',
    1,
    s => {
      s.addresses.find(({ address }) => address === '192.168.1.1')!.prefix = 16
    },
    'vm-001: address 192.168.1.1/24 of eth1: with prefix length 16 (there)',
  ],
  [
    'an address that another node has',
    2,
    s => {
      s.addresses.find(({ address }) => address === 'fd00::c0a8:102')!.duplicate = true
    },
    'vm-002: address fd00::c0a8:102/120 of eth1: unused, because another node has it (there)',
  ],
  [
    'a tentative address',
    2,
    s => {
      s.addresses.find(({ address }) => address === 'fd00::c0a8:102')!.tentative = true
    },
    'vm-002: address fd00::c0a8:102/120 of eth1: tentative (there)',
  ],
  [
    'a removed IPv4 route',
    1,
    s => {
      s.routes = without(s.routes, each => each === route(s, 'default'))
    },
    `vm-001: route default of IPv4: missing (${both})`,
  ],
  [
    'a removed IPv6 route',
    1,
    s => {
      s.routes = without(s.routes, each => each === route(s, 'default', 6))
    },
    `vm-001: route default of IPv6: missing (${both6})`,
  ],
  [
    'a removed route of an address',
    221,
    s => {
      s.routes = without(s.routes, each => each === route(s, '192.168.2.0/24'))
    },
    'vm-221: route 192.168.2.0/24: missing (over eth1)',
  ],
  [
    'a missing leg',
    1,
    s => {
      route(s, 'default').hops.pop()
    },
    `vm-001: route default of IPv4: via 192.168.1.201 over eth1 (${both})`,
  ],
  [
    'a dead leg',
    1,
    s => {
      route(s, 'default').hops[1]!.dead = true
    },
    `vm-001: route default of IPv4: via 192.168.1.201 over eth1 and via 192.168.1.202 over eth1 (dead) (${both})`,
  ],
  [
    'a leg too many',
    1,
    s => {
      route(s, 'default').hops.push({ dev: 'eth0', via: '192.168.0.250', weight: 1 })
    },
    `vm-001: route default of IPv4: via 192.168.0.250 over eth0 and ${both} (${both})`,
  ],
  [
    'legs of different weights',
    1,
    s => {
      route(s, 'default').hops[1]!.weight = 3
    },
    `vm-001: route default of IPv4: via 192.168.1.201 over eth1 weight 1 and via 192.168.1.202 over eth1 weight 3 (${both})`,
  ],
  [
    'a wrong next hop',
    201,
    s => {
      route(s, 'default').hops[0]!.via = '192.168.0.1'
    },
    'vm-201: route default of IPv4: via 192.168.0.1 over eth0 (via 192.168.0.250 over eth0)',
  ],
  [
    'an unreachable route',
    1,
    s => Object.assign(route(s, 'default'), { type: 'unreachable', hops: [] }),
    `vm-001: route default of IPv4: unreachable (${both})`,
  ],
  [
    'a preferred route to the same destination',
    1,
    s => {
      route(s, 'default').metric = 10
      s.routes.push(extra('default', '192.168.1.2'))
    },
    `vm-001: route default of IPv4: via 192.168.1.2 over eth1 (${both})`,
  ],
  [
    'a route in another table',
    1,
    s => {
      route(s, 'default').table = 10
    },
    `vm-001: route default of IPv4: missing (${both})`,
  ],
  [
    'a multipath policy of IPv4',
    1,
    s => {
      s.sysctls['net/ipv4/fib_multipath_hash_policy'] = '0'
    },
    'vm-001: net.ipv4.fib_multipath_hash_policy: 0 (1)',
  ],
  [
    'a multipath policy of IPv6',
    1,
    s => {
      s.sysctls['net/ipv6/fib_multipath_hash_policy'] = '0'
    },
    'vm-001: net.ipv6.fib_multipath_hash_policy: 0 (1)',
  ],
  [
    'a removed rule of the kernel',
    1,
    s => {
      s.rules = without(s.rules, ({ table, family }) => table === 254 && family === 4)
    },
    'vm-001: rule of IPv4: missing (look-up in table main)',
  ],
  [
    'forwarding of IPv4 off',
    201,
    s => {
      for (const name of Object.keys(s.sysctls))
        if (/ip_forward|forwarding/.test(name) && name.includes('ipv4')) s.sysctls[name] = '0'
    },
    'vm-201: net.ipv4.ip_forward: 0 (1)',
  ],
  [
    'forwarding of one interface off',
    201,
    s => {
      s.sysctls['net/ipv4/conf/eth1/forwarding'] = '0'
    },
    'vm-201: net.ipv4.conf.eth1.forwarding: 0 (1)',
  ],
  [
    'forwarding of IPv6 off',
    202,
    s => {
      s.sysctls['net/ipv6/conf/all/forwarding'] = '0'
    },
    'vm-202: net.ipv6.conf.all.forwarding: 0 (1)',
  ],
  [
    'a missing masquerade',
    201,
    s => {
      s.masquerades = without(s.masquerades, ({ source }) => source === '192.168.2.0/24')
    },
    'vm-201: masquerade of 192.168.2.0/24 on eth0: missing (there)',
  ],
  [
    'a next hop that does not answer',
    1,
    s => {
      s.neighbours.find(({ address }) => address === '192.168.1.202')!.state = 'failed'
    },
    'vm-001: neighbour 192.168.1.202 on eth1: without an answer (00:00:00:01:01:ca)',
  ],
  [
    'a next hop that is not known',
    221,
    s => {
      s.neighbours = without(s.neighbours, ({ address }) => address === 'fd00::c0a8:2c9')
    },
    'vm-221: neighbour fd00::c0a8:2c9 on eth1: without an answer (00:00:00:01:02:c9)',
  ],
  [
    'a wrong neighbour',
    1,
    s => {
      s.neighbours.find(({ address }) => address === '192.168.1.2')!.mac = '02:00:00:00:00:09'
    },
    'vm-001: neighbour 192.168.1.2 on eth1: 02:00:00:00:00:09 (00:00:00:01:01:02)',
  ],
  [
    'a more specific route that leads elsewhere',
    1,
    s => s.routes.push(extra('192.168.2.221/32', '192.168.1.202')),
    `vm-001: path to 192.168.2.221: via 192.168.1.202 over eth1 (${both})`,
  ],
  [
    'a rule that leads elsewhere',
    1,
    s => {
      s.rules.splice(1, 0, { family: 4, priority: 5, action: 'lookup', table: 9, to: '192.168.2.0/24' })
      s.routes.push(extra('default', '192.168.1.2', { table: 9 }))
    },
    `vm-001: path to 192.168.2.201 and 2 more addresses: via 192.168.1.2 over eth1 (${both})`,
  ],
  [
    'a rule that refuses',
    221,
    s => s.rules.splice(1, 0, { family: 4, priority: 5, action: 'unreachable', to: '192.168.1.1/32' }),
    `vm-221: path to 192.168.1.1: no route (${both.replaceAll('.1.2', '.2.2')})`,
  ],
  [
    'a rule for what comes in over an interface',
    201,
    s =>
      s.rules.splice(1, 0, {
        family: 4,
        priority: 5,
        action: 'blackhole',
        inDev: 'eth2',
        to: '192.168.1.0/24',
      }),
    'vm-201: path to 192.168.1.1 and 2 more addresses: no route (over eth1)',
  ],
  [
    'an address of another node',
    201,
    s => s.routes.push(extra('192.168.2.221/32', '', { type: 'local', hops: [{ dev: 'lo', weight: 1 }] })),
    'vm-201: path to 192.168.2.221: to itself (over eth2)',
  ],
  [
    'a route that throws its packets away',
    202,
    s => s.routes.push(extra('192.168.2.221/32', '', { type: 'blackhole', hops: [] })),
    'vm-202: path to 192.168.2.221: blackhole (over eth2)',
  ],
]
