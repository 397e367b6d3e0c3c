import { describe, expect, test } from 'vitest'
import { updateSteps } from '../../../src/guest/update.ts'
import { planCluster } from '../../../src/plan/cluster.ts'
import { resolveSettings, type SettingOptions } from '../../../src/plan/index.ts'
import { scaledIn, scaledOut } from '../../../src/plan/scale.ts'
import type { ClusterPlan } from '../../../src/plan/types.ts'

const given = (options: SettingOptions) => resolveSettings({ options })
const idsOf = (plan: ClusterPlan) => plan.nodes.map(({ id }) => id)
const small = given({ nvm: 2, nrouters: 1, mem7: 256 })
const plan = planCluster(small)

test('a plan after scaleout equals the plan of a cluster that started with those nodes', () => {
  const grown = scaledOut(small, plan, [202, 221, 3])
  expect(idsOf(grown)).toEqual([1, 2, 3, 201, 202, 221])
  expect(grown).toEqual(planCluster(given({ nvm: 3, nrouters: 2, ntesters: 1, mem7: 256 })))
  expect(scaledIn(small, grown, [3, 202, 221])).toEqual(plan)
})

test('settings for one node apply when that node is added', () => {
  expect(scaledOut(small, plan, [7, 7]).nodes.find(({ id }) => id === 7)!.memMiB).toBe(256)
})

test.for([
  [[0], 'NODE_NUMBER', 'usage'],
  [[241], 'NODE_NUMBER', 'usage'],
  [[3, 1.5], 'NODE_NUMBER', 'usage'],
  [[3, 2], 'NODE_EXISTS', 'usage'],
] as const)('%j cannot be added, and the error says why', ([ids, code, kind]) => {
  expect(() => scaledOut(small, plan, ids)).toThrow(expect.objectContaining({ code, kind }))
})

test.for([
  [[3], 'NODE_MISSING', 'missing'],
  [[1, 2, 201], 'NO_NODES', 'usage'],
] as const)('%j cannot be removed, and the error says why', ([ids, code, kind]) => {
  expect(() => scaledIn(small, plan, ids)).toThrow(expect.objectContaining({ code, kind }))
})

describe('a change of routers updates the other nodes', () => {
  const node = (of: ClusterPlan, id: number) => of.nodes.find(each => each.id === id)!
  const grown = scaledOut(small, plan, [202])

  const updates = (before: ClusterPlan, after: ClusterPlan) =>
    updateSteps(node(before, 1), node(after, 1)).map(({ about }) => about)
  const policies = ['ipv4', 'ipv6'].map(family => `write /proc/sys/net/${family}/fib_multipath_hash_policy`)
  const routes = ['replace route default', 'replace route default']

  test('a new router brings all their hops, and the hash policy of a multipath route', () => {
    expect(updates(plan, grown)).toEqual([...policies, ...routes])
    const [, , route] = updateSteps(node(plan, 1), node(grown, 1))
    expect(route).toMatchObject({ places: [{ name: 'eth1' }, { name: 'eth1' }] })
  })

  test('a router that leaves takes its hop with it', () => {
    expect(updates(grown, plan)).toEqual(routes)
  })

  test('without any router the default route is removed', () => {
    expect(updates(plan, scaledIn(small, plan, [201]))).toEqual([
      'remove route default',
      'remove route default',
    ])
  })

  test('nodes for which nothing changed get no update', () => {
    expect(updates(plan, scaledOut(small, plan, [3, 221]))).toEqual([])
  })
})
