import { type Connection, request } from '../netlink/index.ts'
import { linkMessage, RTEXT_FILTER_SKIP_STATS, RTM_GETLINK } from './wire/index.ts'

/** A listing's wish for names. */
export interface NamesWanted {
  /** Adds the names of interfaces beside their indexes (`linkName` beside `link`). It costs a listing of all links. */
  readonly names?: boolean | undefined
}

/** The name of an interface by its index; undefined for one of another namespace, or one that is gone. */
export type NameOf = (index: number) => string | undefined

/** The names of all interfaces. */
export async function namesOf(connection: Connection): Promise<NameOf> {
  const about = { type: RTM_GETLINK, op: 'list', target: 'links' }
  const asking = request(linkMessage, { attributes: { extMask: RTEXT_FILTER_SKIP_STATS } }, about)
  const names = new Map<number, string>()
  for await (const { index, name } of connection.dump(asking, ({ body }) => {
    const { index, attributes } = linkMessage.read(body)
    return { index, name: attributes.name ?? '' }
  }))
    names.set(index, name)
  return index => names.get(index)
}

/** The same entries with names, if those are wanted: `{ linkName: 'link' }` adds `linkName` for the index in `link`. */
export async function withNames<T extends object>(
  connection: Connection,
  entries: readonly T[],
  { names, fields }: NamesWanted & { readonly fields: Readonly<Record<string, keyof T>> },
): Promise<T[]> {
  if (!names) return [...entries]
  const nameOf = await namesOf(connection)
  return entries.map(entry => nameFields(entry, nameOf, fields))
}

/** One entry with names. */
export function nameFields<T extends object>(
  entry: T,
  nameOf: NameOf,
  fields: Readonly<Record<string, keyof T>>,
): T {
  const found = Object.entries(fields).flatMap(([field, from]) => {
    const index = entry[from]
    const name = typeof index === 'number' ? nameOf(index) : undefined
    return name === undefined ? [] : [[field, name]]
  })
  return { ...entry, ...Object.fromEntries(found) }
}
