import { expect, test } from 'vitest'
import { FakeWorld } from '../../support/fake-world.ts'
import { nodeEnters } from '../../support/node-enters.ts'

test('checkReach pings from each node what it should reach, and reports a failed node as unreachable', async () => {
  const world = new FakeWorld()
  await using cluster = await world.start({ nvm: 2, nrouters: 1, ntesters: 1 })
  const results = await cluster.checkReach()
  expect(results.length).toBeGreaterThan(10)
  expect(results.every(({ ok }) => ok)).toBe(true)
  world.vms.get('vm-221').end({ signal: 'SIGKILL' })
  await nodeEnters(cluster, 221, 'failed')
  const later = await cluster.checkReach()
  expect(later.filter(({ from }) => from === 'vm-221').every(({ ok }) => !ok)).toBe(true)
})

test('the signal of a call ends the wait for it, and what had begun continues', async () => {
  const world = new FakeWorld()
  await using cluster = await world.start({ nvm: 1, nrouters: 0 })
  const controller = new AbortController()
  const { signal } = controller
  world.vms.behave('vm-002', { hangs: true })
  const adding = cluster.scaleOut([2], { signal })
  await world.vms.start('vm-002')
  controller.abort(new Error('enough'))
  await expect(adding).rejects.toMatchObject({
    code: 'WAIT_ABORTED',
    op: 'scale out',
    cause: new Error('enough'),
  })
  expect(cluster.status().nodes.map(({ name }) => name)).toContain('vm-002')
  await expect(cluster.checkReach({ signal })).rejects.toMatchObject({ code: 'WAIT_ABORTED', op: 'check' })
  await expect(cluster.pause([1], { signal })).rejects.toMatchObject({
    code: 'WAIT_ABORTED',
    reason: expect.stringContaining('nothing has begun'),
  })
  expect(cluster.status().nodes[0]!.state).toBe('ready')
})
