import type { Status } from '../../api/index.ts'
import { messageOf } from '../../base/index.ts'
import { newId } from '../../plan/index.ts'
import type { Owner } from '../owner.ts'

/** What a request to change nodes says. Without nodes: all that can be. */
export interface ChangeAsked {
  readonly nodes?: readonly (string | number)[] | undefined
  /** False: the answer comes when the change has begun. */
  readonly wait?: boolean | undefined
}

/** Changes nodes and gives the cluster as it is then. */
export type Change = (owner: Owner, asked: ChangeAsked) => Promise<Status>

export const pause: Change = (owner, { nodes }) =>
  change(owner, () => owner.cluster().pause(named(owner, nodes)))

export const resume: Change = (owner, { nodes }) =>
  change(owner, () => owner.cluster().resume(named(owner, nodes)))

export const reset: Change = (owner, { nodes, wait }) => {
  const ids = named(owner, nodes)
  return change(owner, () => owner.cluster().reset(ids), wait === false && begun(ids))
}

export const scaleOut: Change = (owner, { nodes = [], wait }) => {
  const ids = nodes.map(newId)
  return change(owner, () => owner.cluster().scaleOut(ids), wait === false && begun(ids))
}

export const scaleIn: Change = (owner, { nodes = [] }) => {
  const ids = nodes.map(node => owner.nodeId(node))
  return change(owner, () => owner.cluster().scaleIn(ids))
}

function named(owner: Owner, nodes: ChangeAsked['nodes']): number[] | undefined {
  return nodes?.map(node => owner.nodeId(node))
}

type Heard = ReturnType<Owner['events']>
type HasBegun = (events: Heard) => Promise<void>

/** Resolves when one of them starts: by then nothing is wrong with what was asked for. */
function begun(ids: readonly number[] | undefined): HasBegun {
  return async events => {
    for await (const event of events) {
      const isOne = event.event === 'node' && (ids?.includes(event.id) ?? true)
      if (isOne && event.state === 'starting') return
    }
  }
}

/** With `until`, a change that goes on is not waited for; should it fail, that is an event. */
async function change(
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
