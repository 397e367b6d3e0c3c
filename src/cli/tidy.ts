import { answers, clusterNames } from '../client/index.ts'
import type { Session } from './session.ts'

/**
 * Removes what clusters left whose owner was killed. Nearly always there is nothing, and then this costs one look
 * into a directory: what can take locks is loaded only when somebody does not answer.
 */
export async function tidy({ places }: Session, alive?: string): Promise<void> {
  for (const name of await clusterNames(places)) {
    if (name === alive || (await answers(places, name))) continue
    const { sweep } = await import('../cluster/index.ts')
    await sweep(places)
    return
  }
}
