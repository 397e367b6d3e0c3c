import type { Status } from '../../api/index.ts'
import { messageOf } from '../../base/index.ts'
import type { Owner } from '../owner.ts'

/** Nodes as a question names them. Without any: all that can be. */
export type NamedNodes = readonly (string | number)[] | undefined

/** Their ids. */
export function idsOf(owner: Owner, nodes: NamedNodes): number[] | undefined {
  return nodes?.map(node => owner.nodeId(node))
}

type Heard = ReturnType<Owner['events']>
type HasBegun = (events: Heard) => Promise<void>

/** Resolves when one of them starts: by then nothing is wrong with what was asked for. */
export function begun(ids: readonly number[] | undefined): HasBegun {
  return async events => {
    for await (const event of events) {
      const isOne = event.event === 'node' && (ids?.includes(event.id) ?? true)
      if (isOne && event.state === 'starting') return
    }
  }
}

/**
 * Changes nodes and gives the cluster as it is then. With `until`, a change that goes on is not waited for; should it
 * fail, that is an event.
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
