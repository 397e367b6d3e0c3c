import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Cluster, startCluster } from '../../../src/index.ts'
import { type Census, takeCensus } from '../../support/leaks.ts'

/** One cluster. Each test plants a fault in a guest, and repairs it. The last ones stop a node and the cluster. */
let census: Census
let cluster: Cluster

beforeAll(async () => {
  census = await takeCensus()
  cluster = await startCluster({ nvm: 1, nrouters: 2, ntesters: 1, smp: 1 })
})
afterAll(() => cluster?.stop())

const run = (node: number, script: string) => cluster.exec(node, script, { check: true })
/** What is different, read once. */
async function said(): Promise<string[]> {
  const { differences } = await cluster.verify({ withinMs: 1 })
  return differences.map(({ node, what, is, should }) => `${node}: ${what}: ${is}, should be ${should}`)
}

const [v4, v6] = ['192.168.1.201', 'fd00::c0a8:1c9']
const ways = 'nexthop via 192.168.1.201 dev eth1 nexthop via 192.168.1.202 dev eth1'
const ways6 = 'nexthop via fd00::c0a8:1c9 dev eth1 nexthop via fd00::c0a8:1ca dev eth1'
const legs = 'via 192.168.1.201 over eth1 and via 192.168.1.202 over eth1'
const legs6 = `${legs.replace(v4, v6).replace('192.168.1.202', 'fd00::c0a8:1ca')}`
const repaired = { 4: `ip route replace default ${ways}`, 6: `ip -6 route replace default ${ways6}` }
const sysctl = (name: string, value: number) => `echo ${value} >/proc/sys/net/${name}`

interface Fault {
  readonly name: string
  readonly node: number
  readonly plant: string
  /** The differences that it makes, each as its beginning. */
  readonly says: readonly string[]
  /** What follows from it is said too. */
  readonly andMore?: true
  readonly repair: string
}

const faults: readonly Fault[] = [
  {
    name: 'a removed route',
    node: 1,
    plant: 'ip route del default',
    says: [`vm-001: route default of IPv4: missing, should be ${legs}`],
    repair: repaired[4],
  },
  {
    name: 'a removed route of IPv6',
    node: 1,
    plant: 'ip -6 route del default',
    says: [`vm-001: route default of IPv6: missing, should be ${legs6}`],
    repair: repaired[6],
  },
  {
    name: 'one leg of a multipath route',
    node: 1,
    plant: 'ip route replace default via 192.168.1.202',
    says: [`vm-001: route default of IPv4: via 192.168.1.202 over eth1, should be ${legs}`],
    repair: repaired[4],
  },
  {
    name: 'one leg of a multipath route of IPv6',
    node: 1,
    plant: 'ip -6 route replace default via fd00::c0a8:1ca dev eth1',
    says: [`vm-001: route default of IPv6: via fd00::c0a8:1ca over eth1, should be ${legs6}`],
    repair: repaired[6],
  },
  {
    name: 'uneven legs',
    node: 1,
    plant: `ip route replace default ${ways} weight 3`,
    says: ['vm-001: route default of IPv4: via 192.168.1.201 over eth1 weight 1 and'],
    repair: repaired[4],
  },
  {
    name: 'a preferred route',
    node: 1,
    plant: `ip route del default; ip route add default metric 10 ${ways}; ip route add default via 192.168.0.250`,
    says: [`vm-001: route default of IPv4: via 192.168.0.250 over eth0, should be ${legs}`],
    repair: `ip route del default via 192.168.0.250; ip route del default metric 10; ${repaired[4]}`,
  },
  {
    name: 'an unreachable route',
    node: 1,
    plant: 'ip route replace unreachable default',
    says: [`vm-001: route default of IPv4: unreachable, should be ${legs}`],
    repair: `ip route del unreachable default; ${repaired[4]}`,
  },
  {
    name: 'the path MTU of a route',
    node: 1,
    plant: `ip route replace default mtu lock 1300 ${ways}`,
    says: ['vm-001: path MTU of route default of IPv4: 1300, should be that of the interface'],
    repair: repaired[4],
  },
  {
    name: 'a wrong MTU',
    node: 1,
    plant: 'ip link set eth1 mtu 1400',
    says: ['vm-001: MTU of eth1: 1400, should be 1500'],
    repair: 'ip link set eth1 mtu 1500',
  },
  {
    name: 'a wrong MTU of IPv6',
    node: 1,
    plant: sysctl('ipv6/conf/eth1/mtu', 1280),
    says: ['vm-001: net.ipv6.conf.eth1.mtu: 1280, should be 1500'],
    repair: sysctl('ipv6/conf/eth1/mtu', 1500),
  },
  {
    name: 'forwarding switched off',
    node: 201,
    plant: sysctl('ipv4/ip_forward', 0),
    says: ['vm-201: net.ipv4.ip_forward: 0, should be 1'],
    repair: sysctl('ipv4/ip_forward', 1),
  },
  {
    name: 'forwarding of IPv6 switched off',
    node: 202,
    plant: sysctl('ipv6/conf/all/forwarding', 0),
    says: ['vm-202: net.ipv6.conf.all.forwarding: 0, should be 1'],
    repair: sysctl('ipv6/conf/all/forwarding', 1),
  },
  {
    name: 'forwarding of one interface switched off',
    node: 201,
    plant: sysctl('ipv4/conf/eth2/forwarding', 0),
    says: ['vm-201: net.ipv4.conf.eth2.forwarding: 0, should be 1'],
    repair: sysctl('ipv4/conf/eth2/forwarding', 1),
  },
  {
    name: 'another multipath hash',
    node: 1,
    plant: sysctl('ipv4/fib_multipath_hash_policy', 0),
    says: ['vm-001: net.ipv4.fib_multipath_hash_policy: 0, should be 1'],
    repair: sysctl('ipv4/fib_multipath_hash_policy', 1),
  },
  {
    name: 'another multipath hash of IPv6',
    node: 1,
    plant: sysctl('ipv6/fib_multipath_hash_policy', 0),
    says: ['vm-001: net.ipv6.fib_multipath_hash_policy: 0, should be 1'],
    repair: sysctl('ipv6/fib_multipath_hash_policy', 1),
  },
  {
    name: 'a missing address',
    node: 202,
    plant: 'ip address del 192.168.2.202/24 dev eth2',
    says: [
      'vm-202: address 192.168.2.202/24 of eth2: missing',
      'vm-202: route 192.168.2.0/24: missing, should be over eth2',
      'vm-221: neighbour 192.168.2.202 on eth1: without an answer',
    ],
    repair: 'ip address add 192.168.2.202/24 dev eth2',
  },
  {
    name: 'a missing address of IPv6',
    node: 202,
    plant: 'ip address del fd00::c0a8:2ca/120 dev eth2',
    says: [
      'vm-202: address fd00::c0a8:2ca/120 of eth2: missing',
      'vm-202: route fd00::c0a8:200/120: missing, should be over eth2',
      'vm-221: neighbour fd00::c0a8:2ca on eth1: without an answer',
    ],
    repair: 'ip address add fd00::c0a8:2ca/120 dev eth2 nodad',
  },
  {
    name: 'missing masquerading',
    node: 201,
    plant: 'nft list table inet xcluster >/tmp/table; nft delete table inet xcluster',
    says: [
      'vm-201: masquerade of 192.168.1.0/24 on eth0: missing',
      'vm-201: masquerade of fd00::c0a8:100/120 on eth0: missing',
      'vm-201: masquerade of 192.168.2.0/24 on eth0: missing',
      'vm-201: masquerade of fd00::c0a8:200/120 on eth0: missing',
    ],
    repair: 'nft -f /tmp/table',
  },
  {
    name: 'a wrong neighbour',
    node: 1,
    plant: `ip neighbour replace ${v4} lladdr 02:00:00:00:00:01 dev eth1 nud permanent`,
    says: [`vm-001: neighbour ${v4} on eth1: 02:00:00:00:00:01, should be 00:00:00:01:01:c9`],
    repair: `ip neighbour del ${v4} dev eth1`,
  },
  {
    name: 'a wrong neighbour of IPv6',
    node: 1,
    plant: `ip neighbour replace ${v6} lladdr 02:00:00:00:00:01 dev eth1 nud permanent`,
    says: [`vm-001: neighbour ${v6} on eth1: 02:00:00:00:00:01, should be 00:00:00:01:01:c9`],
    repair: `ip neighbour del ${v6} dev eth1`,
  },
  {
    name: 'a leg whose router does not answer',
    node: 202,
    plant: 'ip link set eth1 arp off; ip link set eth1 address 02:00:00:00:00:77',
    says: [
      'vm-001: neighbour 192.168.1.202 on eth1: without an answer',
      'vm-202: Ethernet address of eth1: 02:00:00:00:00:77',
    ],
    andMore: true,
    repair: 'ip link set eth1 address 00:00:00:01:01:ca; ip link set eth1 arp on',
  },
  {
    name: 'a more specific route',
    node: 1,
    plant: 'ip route add 192.168.2.221/32 via 192.168.1.202',
    says: [`vm-001: path to 192.168.2.221: via 192.168.1.202 over eth1, should be ${legs}`],
    repair: 'ip route del 192.168.2.221/32',
  },
  {
    name: 'a rule to another table',
    node: 201,
    plant: 'ip rule add iif eth2 to 192.168.1.0/24 table 77; ip route add default via 192.168.1.202 table 77',
    says: [
      'vm-201: path to 192.168.1.1 and 1 more address: via 192.168.1.202 over eth1, should be over eth1',
    ],
    repair: 'ip rule del table 77; ip route del default table 77',
  },
  {
    name: 'a removed rule',
    node: 221,
    plant: 'ip -6 rule del table main',
    says: ['vm-221: rule of IPv6: missing, should be look-up in table main'],
    repair: 'ip -6 rule add priority 32766 table main',
  },
  {
    name: 'an address of another node',
    node: 201,
    plant: 'ip address add 192.168.2.221/32 dev lo',
    says: [
      'vm-201: path to 192.168.2.221: to itself, should be over eth2',
      'vm-221: neighbour 192.168.2.201 on eth1: without an answer',
    ],
    repair: 'ip address del 192.168.2.221/32 dev lo',
  },
  {
    name: 'an interface that is down',
    node: 221,
    plant: 'ip link set eth1 down',
    says: ['vm-221: interface eth1: down, should be up'],
    andMore: true,
    repair: `ip link set eth1 up; ip address add fd00::c0a8:2dd/120 dev eth1 nodad
      ip route replace default ${ways.replaceAll('.1.2', '.2.2')}
      ip -6 route replace default ${ways6.replaceAll(':1c', ':2c')}`,
  },
]

describe('a verification of a running cluster', () => {
  test('says nothing of a cluster that is as planned', async () => {
    const { differences, unverified, paths } = await cluster.verify()
    expect([differences, unverified, paths.broken]).toEqual([[], [], 0])
    expect(paths.planned).toBe((await cluster.checkReach()).length)
  })

  test.for(faults.map(fault => [fault.name, fault] as const))(
    'names %s, and says nothing after its repair',
    async ([, fault]) => {
      await run(fault.node, fault.plant)
      const differences = await said()
      await run(fault.node, fault.repair)
      for (const beginning of fault.says)
        expect(differences.filter(each => each.startsWith(beginning))).toHaveLength(1)
      if (!fault.andMore) expect(differences).toHaveLength(fault.says.length)
      expect((await cluster.verify({ withinMs: 20_000 })).differences).toEqual([])
    },
  )

  test('waits for a route that comes back', async () => {
    await run(1, `ip route del default; (sleep 1; ${repaired[4]}) >/dev/null 2>&1 &`)
    expect((await cluster.verify({ withinMs: 30_000 })).differences).toEqual([])
  })

  test('says which node is paused, and which paths are broken without it', async () => {
    await cluster.pause([202])
    const { differences, paths } = await cluster.verify({ withinMs: 1 })
    expect(differences).toContainEqual({ node: 'vm-202', what: 'node', should: 'ready', is: 'paused' })
    expect(paths.broken).toBeGreaterThan(0)
    await cluster.resume([202])
    expect((await cluster.verify({ withinMs: 20_000 })).differences).toEqual([])
  })

  test('leaves nothing behind', async () => {
    await cluster.stop()
    await census.expectUnchanged()
  })
})
