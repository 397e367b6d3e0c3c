import { expect } from 'vitest'
import { openBridgeFabric } from '../../../../src/net/index.ts'
import { planCluster, resolveSettings } from '../../../../src/plan/index.ts'
import { test } from '../../../support/leaks.ts'
import { ipJson } from '../../../support/namespace.ts'

const options = { nvm: 1, nrouters: 1, ntesters: 0, mtu1: 9000, hostNets: '0,2,7' }
const plan = planCluster(resolveSettings({ options })).bridges

test('each net has its own MTU on bridge and taps, and a net with the host alone has a bridge', async () => {
  await using fabric = await openBridgeFabric(plan)
  const links = await ipJson<{ ifname: string; mtu: number }>(fabric.namespace, ['link'])
  const mtus = Object.fromEntries(links.map(({ ifname, mtu }) => [ifname, mtu]))
  expect(mtus).toMatchObject({ xcbr0: 1500, xcbr0_t1: 1500, xcbr1: 9000, xcbr1_t1: 9000, xcbr1_t201: 9000 })
  expect(mtus).toMatchObject({ xcbr2: 1500, xcbr2_t201: 1500, xcbr7: 1500 })
})

test("an MTU that a tap refuses is reported with the tap's name, and everything is undone", async ({
  census,
}) => {
  const failure = expect.objectContaining({
    target: expect.stringMatching(/xcbr1_t/),
    message: expect.stringMatching(/mtu/i),
  })
  await expect(openBridgeFabric({ ...plan, mtus: { 1: 65_535 } })).rejects.toEqual(failure)
  await using fabric = await openBridgeFabric({ ...plan, taps: [] })
  await expect(fabric.change({ ...plan, mtus: { 1: 65_535 } })).rejects.toEqual(failure)
  const links = await ipJson<{ ifname: string }>(fabric.namespace, ['link'])
  expect(links.map(({ ifname }) => ifname).sort()).toEqual(['lo', 'xcbr0', 'xcbr1', 'xcbr2', 'xcbr7'])
  await fabric.close()
  await census.expectUnchanged()
})
