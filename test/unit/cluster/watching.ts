import type { Cluster } from '../../../src/cluster/index.ts'

/** `vm-001 ready, vm-201 paused` */
export const states = (cluster: Cluster): string =>
  cluster
    .status()
    .nodes.map(({ name, state }) => `${name} ${state}`)
    .join(', ')

/** The notices among the events so far. */
export async function notices(events: ReturnType<Cluster['events']>): Promise<string[]> {
  const texts: string[] = []
  events.end()
  for await (const event of events) if (event.type === 'notice') texts.push(event.text)
  return texts
}

export const small = { nvm: 2, nrouters: 0 }
