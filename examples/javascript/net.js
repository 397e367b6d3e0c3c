// Bridges and taps for VMs of your own, in a network namespace that goes with this process.
import { openBridgeFabric, planBridges } from 'xcluster/net'

const plan = planBridges({
  mtu: 1500,
  nodes: [
    { id: 1, nets: [0, 1] },
    { id: 2, nets: [0] },
  ],
  host: new Map([[0, [{ address: '192.168.0.250', prefix: 24 }]]]),
})
console.log(`planned: ${plan.taps.map(({ name }) => name).join(' ')}`)

const fabric = await openBridgeFabric(plan)
try {
  console.log(`node 1 has ${(await fabric.nics(1)).length} interfaces`)
} finally {
  await fabric.close()
}
