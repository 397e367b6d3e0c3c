import type { Status } from '../../api/index.ts'
import { messageOf } from '../../base/index.ts'
import type { Owner } from '../owner.ts'

/** The nodes that a request names. Undefined: all that the change applies to. */
export type NamedNodes = readonly (string | number)[] | undefined

/** The ids of these nodes, each once: a node can be named in two ways. */
export function idsOf(owner: Owner, nodes: NamedNodes): number[] | undefined {
  return nodes && [...new Set(nodes.map(node => owner.nodeId(node)))]
}

type Heard = ReturnType<Owner['events']>
type HasBegun = (events: Heard) => Promise<void>

/** Resolves when one of the nodes starts: the request has then passed all checks. */
export function begun(ids: readonly number[] | undefined): HasBegun {
  return async events => {
    for await (const event of events) {
      const isOne = event.type === 'node' && (ids?.includes(event.id) ?? true)
      if (isOne && event.state === 'starting') return
    }
  }
}

/**
 * Changes nodes and returns the resulting status. With `until` it returns as soon as that resolves, while the change
 * continues. A later failure becomes a notice.
 */
export async function change(
  owner: Owner,
  work: () => Promise<void>,
  until: HasBegun | false = false,
): Promise<Status> {
  if (!until) {
    await work()
    return owner.status()
  }
  const events = owner.events()
  const done = work()
  try {
    await Promise.race([done, until(events)])
  } finally {
    events.end()
  }
  done.catch(failure => owner.notice(messageOf(failure)))
  return owner.status()
}
