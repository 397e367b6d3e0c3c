import type { Cluster } from '../../../src/cluster/index.ts'

/** `vm-001 ready, vm-201 paused` */
export const states = (cluster: Cluster): string =>
  cluster
    .status()
    .nodes.map(({ name, state }) => `${name} ${state}`)
    .join(', ')

/** Waits for a node's next event of that state. */
export async function until(cluster: Cluster, id: number, state: string): Promise<void> {
  for await (const event of cluster.events())
    if (event.event === 'node' && event.id === id && event.state === state) return
}

/** The notices among the events that have come. */
export async function notices(events: ReturnType<Cluster['events']>): Promise<string[]> {
  const texts: string[] = []
  events.end()
  for await (const event of events) if (event.event === 'notice') texts.push(event.text)
  return texts
}

export const small = { nvm: 2, nrouters: 0 }
