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
