import { execFileSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { nodeName } from '../../../src/base/roles.ts'
import { reachScript, readReach } from '../../../src/guest/ping.ts'
import { planCluster } from '../../../src/plan/cluster.ts'
import { resolveSettings, type SettingOptions } from '../../../src/plan/index.ts'
import { reachTargets } from '../../../src/plan/reachability.ts'
import type { ClusterPlan } from '../../../src/plan/types.ts'

const plan = (options: SettingOptions) => planCluster(resolveSettings({ options }))
const from = (plan: ClusterPlan, id: number, family = 'ipv4') =>
  reachTargets(plan)
    .filter(target => target.from === id && target.family === family)
    .map(({ address }) => address)

describe('reachTargets()', () => {
  test('gives neighbours and, across the routers of xnet, nodes and testers in both directions', () => {
    const xnet = plan({ nvm: 2, ntesters: 1 })
    expect(from(xnet, 1)).toEqual([
      ...['192.168.0.2', '192.168.1.2'],
      ...['192.168.0.201', '192.168.1.201', '192.168.2.201'],
      ...['192.168.0.202', '192.168.1.202', '192.168.2.202'],
      ...['192.168.0.221', '192.168.2.221'],
    ])
    expect(from(xnet, 221)).toContain('192.168.1.2')
    expect(from(xnet, 221, 'ipv6')).toContain('fd00::c0a8:102')
    expect(from(xnet, 1, 'ipv6')).toContain('fd00::c0a8:2dd')
  })

  test('gives only addresses on a shared net when there are no routers', () => {
    expect(from(plan({ nvm: 2, ntesters: 1, nrouters: 0 }), 1)).toEqual([
      '192.168.0.2',
      '192.168.1.2',
      '192.168.0.221',
    ])
  })

  test('gives no address on net 0 in user space, where each node has a router of its own', () => {
    const there = reachTargets(plan({ nvm: 2, ntesters: 1 }), 'user')
    const ipv4 = there.filter(target => target.from === 1 && target.family === 'ipv4')
    expect(ipv4.map(({ address }) => address)).toEqual([
      '192.168.1.2',
      ...['192.168.1.201', '192.168.2.201'],
      ...['192.168.1.202', '192.168.2.202'],
      '192.168.2.221',
    ])
  })

  test('omits an address when answers do not come back, or when one branch of a multipath route ends nowhere', () => {
    const xnet = plan({ nvm: 1, ntesters: 1 })
    const change = (id: number, setup: object): ClusterPlan => ({
      ...xnet,
      nodes: xnet.nodes.map(node =>
        node.id === id ? { ...node, setup: { ...node.setup, ...setup } } : node,
      ),
    })
    expect(from(xnet, 1)).toContain('192.168.2.221')
    expect(from(change(221, { routes: [] }), 1)).not.toContain('192.168.2.221')
    expect(from(change(202, { forwarding: false }), 1)).not.toContain('192.168.2.221')
  })

  test("treats nets that a guest's bridge connects as one net", () => {
    const two = plan({ nvm: 2, nrouters: 1, nets1: '0,1', nets2: '0,2' })
    const [one, other, router] = two.nodes
    const moved = { ...other!.nets[1]!, ipv4: '192.168.1.2', ipv6: 'fd00::c0a8:102' }
    const bridge = { name: 'br1', mac: '00:00:00:01:01:01', ports: ['eth1', 'eth2'] }
    const address = { ipv4: '192.168.1.201', ipv6: 'fd00::c0a8:1c9' }
    const bare = router!.nets.map(({ ipv4, ipv6, ...link }) => (link.net ? link : { ...link, ipv4, ipv6 }))
    const nodes = [
      one!,
      { ...other!, nets: [other!.nets[0]!, moved] },
      { ...router!, nets: bare, setup: { ...router!.setup, bridges: [{ ...bridge, ...address }] } },
    ] as ClusterPlan['nodes']
    expect(from({ ...two, nodes }, 1)).toEqual([
      '192.168.0.2',
      '192.168.1.2',
      '192.168.0.201',
      '192.168.1.201',
    ])
  })
})

describe('the script that pings addresses in a guest', () => {
  /** A `ping` that answers for the addresses in `alive`, defined in the shell before the script. */
  const run = (script: string, alive: string) =>
    execFileSync('sh', ['-s'], {
      encoding: 'utf8',
      input: `ping() { for a; do :; done; case " ${alive} " in *" $a "*) ;; *) false;; esac; }\n${script}`,
    })

  test('reports for every address whether it answers', () => {
    const output = run(reachScript(['10.0.0.1', 'fd00::1', '10.0.0.2']), 'fd00::1 10.0.0.2')
    expect(output.trim().split('\n').sort()).toEqual(['+10.0.0.2', '+fd00::1', '-10.0.0.1'])
  })

  test('runs at most 16 pings at a time', () => {
    const script = reachScript(Array.from({ length: 40 }, (_, i) => `10.0.0.${i}`))
    expect(script.match(/^wait$/gm)).toHaveLength(3)
    expect(run(script, '10.0.0.39').match(/^\+/gm)).toHaveLength(1)
  })

  test('counts an address that it does not report as not reached', () => {
    const targets = reachTargets(plan({ nvm: 2, nrouters: 0, netsVm: '0' }))
    const results = readReach(
      targets.filter(target => target.from === 1),
      '+192.168.0.2\n',
      nodeName,
    )
    expect(results).toEqual([
      { from: 'vm-001', to: 'vm-002', address: '192.168.0.2', family: 'ipv4', ok: true },
      { from: 'vm-001', to: 'vm-002', address: 'fd00::c0a8:2', family: 'ipv6', ok: false },
    ])
  })
})
