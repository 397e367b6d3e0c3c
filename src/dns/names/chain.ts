import { Type } from '../wire/constants.ts'
import { type FullRecord, inAnswer } from '../wire/full-records.ts'
import type { OwnRecord } from '../wire/local-answer.ts'
import { nameKey } from '../wire/name.ts'

/** The CNAME records that lead from one name to another. */
export interface Chain {
  readonly links: readonly FullRecord[]
  /** The key of the name at its end. */
  readonly end: string
  /** It leads back into itself, or is too long. */
  readonly loops: boolean
}

/** As many as common resolvers follow (BIND's `max-query-restarts` is 11). */
export const mostLinks = 11

/** Follows CNAME records among own names. */
export function chainFrom(
  name: string,
  recordsOf: (name: string) => readonly OwnRecord[] | undefined,
  ttl: number,
): Chain {
  const links: FullRecord[] = []
  let end = name
  for (;;) {
    const record = recordsOf(end)?.find(({ type }) => type === Type.CNAME)
    if (!record) return { links, end, loops: false }
    if (links.length >= mostLinks) return { links, end, loops: true }
    const owner = Buffer.from(end, 'latin1')
    links.push(inAnswer(owner, { type: Type.CNAME, ttl: record.ttl ?? ttl, data: record.data }))
    end = nameKey(record.data)
  }
}
