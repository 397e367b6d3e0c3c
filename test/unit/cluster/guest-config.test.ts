import { describe, expect, test } from 'vitest'
import { resolveSettings, type SettingOptions } from '../../../src/base/index.ts'
import { guestScript } from '../../../src/cluster/guest-config.ts'
import { setupOf } from '../../../src/cluster/node-setup.ts'
import { planCluster } from '../../../src/cluster/plan.ts'
import type { SetupRule } from '../../../src/cluster/topology.ts'

function script(id: number, options: SettingOptions): string {
  const plan = planCluster(resolveSettings({ options }))
  return guestScript(plan.nodes.find(node => node.id === id)!)
}

describe('the script of', () => {
  test('a node with two routers', () => {
    expect(script(1, {})).toBe(`set -e
echo 1 >/proc/sys/net/ipv4/fib_multipath_hash_policy
echo 1 >/proc/sys/net/ipv6/fib_multipath_hash_policy
/sbin/ip -batch - <<'END'
link set eth1 up
address add 192.168.1.1/24 dev eth1
address add fd00::c0a8:101/120 dev eth1 nodad
route replace 0.0.0.0/0 nexthop via 192.168.1.201 dev eth1 nexthop via 192.168.1.202 dev eth1
route replace ::/0 nexthop via fd00::c0a8:1c9 dev eth1 nexthop via fd00::c0a8:1ca dev eth1
END
`)
  })

  test('a router', () => {
    expect(script(201, { nrouters: 1 })).toBe(`set -e
echo 1 >/proc/sys/net/ipv4/ip_forward
echo 1 >/proc/sys/net/ipv6/conf/all/forwarding
/sbin/ip -batch - <<'END'
link set eth1 up
link set eth2 up
address add 192.168.1.201/24 dev eth1
address add fd00::c0a8:1c9/120 dev eth1 nodad
address add 192.168.2.201/24 dev eth2
address add fd00::c0a8:2c9/120 dev eth2 nodad
route replace 0.0.0.0/0 via 192.168.0.250 dev eth0
route replace ::/0 via fd00::c0a8:fa dev eth0
END
nft -f - <<'END'
table inet xcluster {
  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
    oifname "eth0" ip saddr 192.168.1.0/24 masquerade
    oifname "eth0" ip6 saddr fd00::c0a8:100/120 masquerade
    oifname "eth0" ip saddr 192.168.2.0/24 masquerade
    oifname "eth0" ip6 saddr fd00::c0a8:200/120 masquerade
  }
}
END
`)
  })

  test('a node that has nothing but net 0', () => {
    expect(script(1, { netsVm: '0', nrouters: 0 })).toBe('set -e\n')
  })
})

/** What xnet does not use, and other topologies will. */
describe('a rule with', () => {
  const plan = planCluster(resolveSettings({ options: { netsVm: '0,1,4', nrouters: 2 } }))
  const wired = plan.nodes.map(({ id, nets }) => ({ id, nets: nets.map(({ net }) => net) }))
  const lines = (rule: Omit<SetupRule, 'of'>) => {
    const setup = setupOf(wired[0]!, { of: 1, ...rule }, { all: wired, prefix: 'fd00:' })
    return guestScript({ nets: [], setup }).split('\n')
  }

  test('a table of its own for an interface', () => {
    const table = { ipv4: 300, ipv6: 301 }
    const route = { to: 'default', via: [{ net: 4, node: 202 }], table } as const
    const script = lines({ routes: [route], rules: [{ net: 4, ...table }] })
    expect(script.filter(line => /table/.test(line))).toEqual([
      'route replace 0.0.0.0/0 table 300 via 192.168.4.202 dev eth2',
      'route replace ::/0 table 301 via fd00::c0a8:4ca dev eth2',
      'rule add oif eth2 table 300',
      'rule add oif eth2 table 301',
    ])
    expect(script.filter(line => line.startsWith('/sbin/ip'))).toEqual([
      "/sbin/ip -batch - <<'END'",
      "/sbin/ip -4 -batch - <<'END'",
      "/sbin/ip -6 -batch - <<'END'",
    ])
  })

  test('a route to a net, and one on the link', () => {
    const routes = [
      { to: 6, via: [{ net: 4, node: 202 }] },
      { to: 'default', via: [{ net: 1 }] },
    ] as const
    expect(lines({ routes }).filter(line => line.startsWith('route'))).toEqual([
      'route replace 192.168.6.0/24 via 192.168.4.202 dev eth2',
      'route replace fd00::c0a8:600/120 via fd00::c0a8:4ca dev eth2',
      'route replace 0.0.0.0/0 dev eth1',
      'route replace ::/0 dev eth1',
    ])
  })

  test('a bridge in the guest, through which routes then lead', () => {
    const bridge = { name: 'br1', mac: '00:00:00:01:01:01', nets: [1, 4], address: 1 }
    const script = lines({ bridges: [bridge], routes: [{ to: 'default', via: [{ net: 4 }] }] })
    expect(script.slice(2, -2)).toEqual([
      'link add br1 address 00:00:00:01:01:01 type bridge stp_state 0',
      'link set eth1 master br1',
      'link set eth2 master br1',
      'link set br1 up',
      'address add 192.168.1.1/24 dev br1',
      'address add fd00::c0a8:101/120 dev br1 nodad',
      'route replace 0.0.0.0/0 dev br1',
      'route replace ::/0 dev br1',
    ])
  })
})
