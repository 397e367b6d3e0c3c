import { isLinkName, linkNameRule } from '../base/index.ts'
import { type Connection, type Message, NetlinkError, type Request, request } from '../netlink/index.ts'
import type { LinkRef, Names, Operation } from './operation.ts'
import { linkMessage, RTEXT_FILTER_SKIP_STATS, RTM_GETLINK } from './wire/index.ts'

/** Refuses names that the kernel would refuse less clearly, or expand as a template (`%d`; net/core/dev.c). */
export function checkName(op: string, name: string): void {
  if (isLinkName(name)) return
  throw new NetlinkError({
    code: 'LINK_NAME',
    kind: 'usage',
    op,
    target: `'${name}'`,
    reason: linkNameRule,
  })
}

/** An interface by its name or an alternative name. Only alternative names can have more than 15 bytes. */
export function named(name: string | undefined): { name?: string; altName?: string } {
  if (name === undefined) return {}
  return isLinkName(name) || Buffer.byteLength(name) <= 15 ? { name } : { altName: name }
}

/**
 * The indexes of all interfaces that the operations refer to. The kernel is asked once, for those that only
 * it knows.
 */
export async function resolve(connection: Connection, operations: readonly Operation[]): Promise<Names> {
  const known = new Map<string, number>()
  const wanted = new Set<string>()
  for (const { refers } of operations)
    for (const link of refers) if (typeof link === 'string') wanted.add(link)
  const created: string[] = []
  for (const { creates = [] } of operations)
    for (const { name, index } of creates)
      if (index === undefined) created.push(name)
      else known.set(name, index)
  const numberless = created.filter(name => !known.has(name))
  if (numberless.some(name => wanted.has(name))) await number(connection, numberless, known)
  const unknown = [...wanted].filter(name => !known.has(name))
  if (unknown.length > 0) await lookUp(connection, unknown, known)
  return {
    indexOf: link => (typeof link === 'number' ? link : (known.get(link) as number)),
    given: name => known.get(name) ?? 0,
  }
}

/**
 * Gives the interfaces created in a batch the next free indexes of the namespace, when some of them are
 * referred to. All of them need one, because the kernel would assign those to the interfaces without any.
 */
async function number(connection: Connection, names: readonly string[], known: Map<string, number>) {
  const listing = request(linkMessage, skipStats, { type: RTM_GETLINK, op: 'list', target: 'links' })
  let last = Math.max(0, ...known.values())
  for await (const index of connection.dump(listing, indexOf)) last = Math.max(last, index)
  for (const name of names) known.set(name, ++last)
}

async function lookUp(connection: Connection, names: readonly string[], known: Map<string, number>) {
  const requests = names.map(name => getLink('find link', name))
  for (const [at, answer] of (await connection.askEach(requests, indexOf)).entries()) {
    if (!Array.isArray(answer)) throw answer
    known.set(names[at] as string, answer[0] as number)
  }
}

/** Skips the counters of address families. The kernel sends IFLA_STATS64 in any case (rtnl_fill_ifinfo). */
const skipStats = { attributes: { extMask: RTEXT_FILTER_SKIP_STATS } }

/** Reads the index alone and skips the attributes, some 1,500 bytes. */
function indexOf({ body }: Message): number {
  body.skip(4, 'struct ifinfomsg')
  return body.i32('index')
}

/** One interface by name or index. `ip link show <name>` */
export function getLink(op: string, link: LinkRef): Request {
  const { attributes } = skipStats
  const value =
    typeof link === 'number' ? { index: link, attributes } : { attributes: { ...attributes, ...named(link) } }
  return request(linkMessage, value, { type: RTM_GETLINK, op, target: `${link}` })
}
