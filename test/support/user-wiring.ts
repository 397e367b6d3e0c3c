import { openUserFabric } from '../../src/net/index.ts'
import { planBridges, type UserWiring } from '../../src/plan/index.ts'

/** Below the ports that the kernel assigns by itself. */
const firstPort = 20_000
const portsEach = 700
const lastPort = 32_000

/** Ports and multicast groups for a user-space cluster that are free on this machine now; nets 1 to 5. */
export async function freeNumbers(): Promise<UserWiring> {
  for (;;) {
    const telnetBase =
      firstPort + portsEach * Math.floor(Math.random() * ((lastPort - firstPort) / portsEach))
    const wiring = {
      prefix: 'fd00:',
      telnetBase,
      sshBase: telnetBase + 250,
      k8sPort: telnetBase + 500,
      k8sApiPort: telnetBase + 501,
      mcastBase: 10 + 6 * Math.floor(Math.random() * 38),
    }
    const nodes = [1, 2, 3, 201, 202, 221].map(id => ({ id, nets: [0, 1, 2, 3, 4, 5] }))
    try {
      const fabric = await openUserFabric(planBridges({ mtu: 1500, nodes, host: new Map() }), wiring)
      await fabric.close()
      return wiring
    } catch (failure) {
      if (!/_TAKEN$/.test((failure as { code?: string }).code ?? '')) throw failure
    }
  }
}
