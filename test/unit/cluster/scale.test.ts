import { describe, expect, test } from 'vitest'
import { resolveSettings, type SettingOptions } from '../../../src/base/index.ts'
import { followScript } from '../../../src/cluster/follow.ts'
import { planCluster } from '../../../src/cluster/plan.ts'
import type { ClusterPlan } from '../../../src/cluster/plan-types.ts'
import { scaledIn, scaledOut } from '../../../src/cluster/scale.ts'

const given = (options: SettingOptions) => resolveSettings({ options })
const idsOf = (plan: ClusterPlan) => plan.nodes.map(({ id }) => id)
const small = given({ nvm: 2, nrouters: 1, mem7: 64 })
const plan = planCluster(small)

test('a cluster that has grown is the one that was planned so', () => {
  const grown = scaledOut(small, plan, [202, 221, 3])
  expect(idsOf(grown)).toEqual([1, 2, 3, 201, 202, 221])
  expect(grown).toEqual(planCluster(given({ nvm: 3, nrouters: 2, ntesters: 1, mem7: 64 })))
  expect(scaledIn(small, grown, [3, 202, 221])).toEqual(plan)
})

test('settings of one node hold for it when it comes', () => {
  expect(scaledOut(small, plan, [7, 7]).nodes.find(({ id }) => id === 7)!.memMiB).toBe(64)
})

test.for([
  [[0], 'NODE_NUMBER', 'usage'],
  [[241], 'NODE_NUMBER', 'usage'],
  [[3, 1.5], 'NODE_NUMBER', 'usage'],
  [[3, 2], 'NODE_EXISTS', 'usage'],
] as const)('%j cannot be added', ([ids, code, kind]) => {
  expect(() => scaledOut(small, plan, ids)).toThrow(expect.objectContaining({ code, kind }))
})

test.for([
  [[3], 'NODE_MISSING', 'missing'],
  [[1, 2, 201], 'NO_NODES', 'usage'],
] as const)('%j cannot be taken away', ([ids, code, kind]) => {
  expect(() => scaledIn(small, plan, ids)).toThrow(expect.objectContaining({ code, kind }))
})

describe('the others are told', () => {
  const node = (of: ClusterPlan, id: number) => of.nodes.find(each => each.id === id)!
  const grown = scaledOut(small, plan, [202])

  test('of a router more: all their hops, and the policy that goes with several', () => {
    const script = followScript(node(plan, 1), node(grown, 1))!
    expect(script).toContain(
      'route replace 0.0.0.0/0 nexthop via 192.168.1.201 dev eth1 nexthop via 192.168.1.202 dev eth1\n',
    )
    expect(script).toContain('echo 1 >/proc/sys/net/ipv6/fib_multipath_hash_policy\n')
    expect(script).not.toContain('address add')
  })

  test('of a router less: its hop is no more', () => {
    const script = followScript(node(grown, 1), node(plan, 1))!
    expect(script).toContain('route replace ::/0 via fd00::c0a8:1c9 dev eth1\n')
  })

  test('of no router any more: the route goes', () => {
    const none = scaledIn(small, plan, [201])
    expect(followScript(node(plan, 1), node(none, 1))).toContain(
      '/sbin/ip route del 0.0.0.0/0\n/sbin/ip -6 route del ::/0\n',
    )
  })

  test('nothing, when nothing is new for them', () => {
    expect(followScript(node(plan, 1), node(scaledOut(small, plan, [3, 221]), 1))).toBeUndefined()
  })
})
