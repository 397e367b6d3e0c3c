import { existsSync, readFileSync, statSync } from 'node:fs'
import { forwardingRecord } from '../base/index.ts'
import { answers, clusterNames } from '../client/index.ts'
import type { Session } from './session.ts'

/**
 * Removes what clusters left whose owner was killed, and puts back what the host's settings were. Nearly always there
 * is nothing, and then this costs a few looks: what can take locks is loaded only when somebody does not answer.
 */
export async function tidy(session: Session, alive?: string): Promise<void> {
  const swept = await sweepDead(session, alive)
  if (!isForwardingLeft(session, swept)) return
  const { settleForwarding } = await import('../host/index.ts')
  await settleForwarding(session.places, { withinMs: swept ? 1000 : 0 })
}

async function sweepDead({ places }: Session, alive: string | undefined): Promise<boolean> {
  for (const name of await clusterNames(places)) {
    if (name === alive || (await answers(places, name))) continue
    const { sweep } = await import('../owner/index.ts')
    return (await sweep(places)).length > 0
  }
  return false
}

/** Somebody has switched it on here, and no way out needs it any more; a killed owner's takes a moment to go. */
function isForwardingLeft({ places }: Session, swept: boolean): boolean {
  const { ino } = statSync('/proc/self/ns/net')
  if (!existsSync(forwardingRecord(places.runtime, ino))) return false
  return swept || !/^\s*xcluster\d+:/m.test(readFileSync('/proc/net/dev', 'latin1'))
}
