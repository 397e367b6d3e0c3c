import type { Cluster } from '../../src/cluster/index.ts'

/** Waits for the next event of a node that reports this state. */
export async function nodeEnters(cluster: Cluster, id: number, state: string): Promise<void> {
  for await (const event of cluster.events())
    if (event.type === 'node' && event.id === id && event.state === state) return
}
