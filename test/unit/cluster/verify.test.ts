import { expect, test } from 'vitest'
import type { ClusterNode } from '../../../src/cluster/nodes/node.ts'
import { verifyCluster } from '../../../src/cluster/verify.ts'
import { planCluster } from '../../../src/plan/cluster.ts'
import { resolveSettings } from '../../../src/plan/index.ts'
import { FakeWorld } from '../../support/fake-world.ts'
import { ManualClock } from '../../support/manual-clock.ts'

test('a verification names a guest that does not answer after ten seconds, and a node that is paused', async () => {
  const world = new FakeWorld()
  await using cluster = await world.start({ nvm: 2, nrouters: 0 })
  await cluster.pause([2])
  const began = world.manual.now()
  const verified = cluster.verify({ withinMs: 1 })
  await world.passing(verified)
  expect(world.manual.now() - began).toBeGreaterThanOrEqual(10_000)
  const { differences, unverified, paths } = await verified
  expect(differences).toEqual([
    { node: 'vm-001', what: 'guest', should: 'an answer', is: 'none within 10 s' },
    { node: 'vm-002', what: 'node', should: 'ready', is: 'paused' },
  ])
  expect(unverified).toEqual([])
  expect(paths.broken).toBe(paths.planned)
})

test('a verification names a guest without xcluster-guest as one that it knows nothing of', async () => {
  const plan = planCluster(resolveSettings({ options: { nvm: 1, nrouters: 0 } }))
  const nodes = [{ plan: plan.nodes[0]!, state: 'ready', channel: undefined } as unknown as ClusterNode]
  const current = () => ({ nodes, plan })
  const cluster = { current, kind: 'bridge', clock: new ManualClock() } as const
  expect(await verifyCluster(cluster, { withinMs: 1, signal: undefined })).toEqual({
    differences: [],
    unverified: [{ node: 'vm-001', reason: 'no xcluster-guest answers in its guest' }],
    paths: { planned: 0, broken: 0 },
  })
})

test('the signal of a verification ends the wait for it', async () => {
  const world = new FakeWorld()
  await using cluster = await world.start({ nvm: 1, nrouters: 0 })
  const controller = new AbortController()
  const verified = cluster.verify({ signal: controller.signal })
  controller.abort(new Error('enough'))
  await expect(verified).rejects.toMatchObject({ code: 'WAIT_ABORTED', op: 'verify' })
})
