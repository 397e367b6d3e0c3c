import { describe, expect, test } from 'vitest'
import { updateSteps } from '../../../src/guest/update.ts'
import { planCluster } from '../../../src/plan/cluster.ts'
import { resolveSettings, type SettingOptions } from '../../../src/plan/index.ts'
import { scaledIn, scaledOut } from '../../../src/plan/scale.ts'
import type { ClusterPlan } from '../../../src/plan/types.ts'

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

  const told = (before: ClusterPlan, after: ClusterPlan) =>
    updateSteps(node(before, 1), node(after, 1)).map(({ about }) => about)
  const policies = ['ipv4', 'ipv6'].map(family => `write /proc/sys/net/${family}/fib_multipath_hash_policy`)
  const routes = ['replace route default', 'replace route default']

  test('of a router more: all their hops, and the policy that goes with several', () => {
    expect(told(plan, grown)).toEqual([...policies, ...routes])
    const [, , route] = updateSteps(node(plan, 1), node(grown, 1))
    expect(route).toMatchObject({ places: [{ name: 'eth1' }, { name: 'eth1' }] })
  })

  test('of a router less: its hop is no more', () => {
    expect(told(grown, plan)).toEqual(routes)
  })

  test('of no router any more: the route goes', () => {
    expect(told(plan, scaledIn(small, plan, [201]))).toEqual(['remove route default', 'remove route default'])
  })

  test('nothing, when nothing is new for them', () => {
    expect(told(plan, scaledOut(small, plan, [3, 221]))).toEqual([])
  })
})
