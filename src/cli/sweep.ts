import { existsSync, readFileSync, statSync } from 'node:fs'
import { forwardingRecord } from '../base/index.ts'
import { answers, clusterNames } from '../client/index.ts'
import { type Session, trustedPlaces } from './session.ts'

/**
 * Removes what killed owners left behind, and restores the host's sysctls. Usually there is nothing to do, and then
 * this costs a few file accesses: the code that takes locks is loaded only when an owner does not answer.
 */
export async function tidy(session: Session, alive?: string): Promise<void> {
  if (!isTrusted(session)) return // what is there is not ours; commands that use it say so
  const swept = await sweepDead(session, alive)
  if (!isForwardingLeft(session, swept)) return
  const { settleForwarding } = await import('../host/index.ts')
  await settleForwarding(session.places, { withinMs: swept ? 1000 : 0 })
}

function isTrusted(session: Session): boolean {
  try {
    return trustedPlaces(session) !== undefined
  } catch {
    return false
  }
}

async function sweepDead({ places }: Session, alive: string | undefined): Promise<boolean> {
  for (const name of await clusterNames(places)) {
    if (name === alive || (await answers(places, name))) continue
    const { sweep } = await import('../owner/index.ts')
    return (await sweep(places)).length > 0
  }
  return false
}

/**
 * True when an uplink has enabled forwarding in this namespace and no uplink is left. After a sweep the interface may
 * still exist: the kernel needs a moment to remove that of a killed owner.
 */
function isForwardingLeft({ places }: Session, swept: boolean): boolean {
  const { ino } = statSync('/proc/self/ns/net')
  if (!existsSync(forwardingRecord(places.runtime, ino))) return false
  return swept || !/^\s*xcluster\d+:/m.test(readFileSync('/proc/net/dev', 'latin1'))
}
