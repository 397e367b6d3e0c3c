import { expect } from 'vitest'
import { startCluster } from '../../../src/index.ts'
import { test } from '../../support/leaks.ts'
import { randomTopology } from '../../support/random-topology.ts'

/** How many; 30 by command. */
const count = Number(process.env.XCLUSTER_TEST_TOPOLOGIES ?? 2)

test.for(Array.from({ length: count }, (_, seed) => seed))(
  'a cluster of the topology drawn with seed %i is as planned, and its nodes reach each other',
  async seed => {
    const topology = randomTopology(seed)
    await using cluster = await startCluster({ topology, nvm: 1, mem: 112, smp: 1 })
    expect(await cluster.verify()).toMatchObject({ differences: [], unverified: [], paths: { broken: 0 } })
    for (const [from, to] of [
      [1, '192.168.2.221'],
      [221, 'fd00::192.168.1.1'],
    ] as const)
      expect((await cluster.exec(from, ['ping', '-q', '-c', '1', '-W', '5', to])).status, to).toBe(0)
  },
)
