import { type Connection, type Message, request } from '../../netlink/index.ts'
import { getLink, resolve } from '../names.ts'
import type { LinkRef, Sink } from '../operation.ts'
import { take } from '../takes.ts'
import { linkMessage, RTEXT_FILTER_SKIP_STATS, RTM_GETLINK } from '../wire/index.ts'
import { type NameOf, type NamesWanted, nameFields, namesOf } from '../with-names.ts'
import { type Link, linkOf } from './link.ts'
import { changeAltNames, removeGroup, removeLink } from './removals.ts'
import { addLink, changeLink } from './requests.ts'
import type { LinkChange, LinkSpec } from './spec.ts'

/** Changes of interfaces, each at once or in a batch. */
export class LinkChanges<Done> {
  readonly #sink: Sink<Done>

  constructor(sink: Sink<Done>) {
    this.#sink = sink
  }

  /** Creates an interface. `ip link add <name> type <kind> …` */
  add(spec: LinkSpec): Done {
    return this.#sink(() => addLink(spec))
  }

  /** Changes an interface, given by name or index. `ip link set dev <name> …` */
  change(change: LinkChange): Done {
    return this.#sink(() => changeLink(change))
  }

  /** Adds alternative names, of up to 127 bytes each. `ip link property add dev <link> altname <name>` */
  addAltNames(link: LinkRef, names: readonly string[]): Done {
    return this.#sink(() => changeAltNames(link, names, true))
  }

  /** Removes alternative names. `ip link property del dev <link> altname <name>` */
  removeAltNames(link: LinkRef, names: readonly string[]): Done {
    return this.#sink(() => changeAltNames(link, names, false))
  }

  /**
   * Removes an interface. The kernel takes some 20 ms for each: see {@link removeGroup}.
   * `ip link del dev <name>`
   */
  remove(link: LinkRef): Done {
    return this.#sink(() => removeLink(link))
  }

  /** Removes all interfaces of a group (not 0), in about the time of one. `ip link del group <n>` */
  removeGroup(group: number): Done {
    return this.#sink(() => removeGroup(group))
  }
}

export interface LinkFilter extends NamesWanted {
  /** Only the ports of this bridge. */
  readonly master?: LinkRef
  readonly kind?: string
}

/** Interfaces. */
export class Links extends LinkChanges<Promise<void>> {
  readonly #connection: Connection

  constructor(connection: Connection, sink: Sink<Promise<void>>) {
    super(sink)
    this.#connection = connection
  }

  /** All interfaces, or some of them, ordered by index. `ip -d -s link show [master <m>] [type <kind>]` */
  async list(filter: LinkFilter = {}): Promise<Link[]> {
    const { master, kind, names: wanted } = take('list links', filter, 'LinkFilter')
    const refers = master === undefined ? [] : [master]
    const names = await resolve(this.#connection, [{ refers, requests: () => [] }])
    const attributes = {
      extMask: RTEXT_FILTER_SKIP_STATS,
      master: master === undefined ? undefined : names.indexOf(master),
      linkInfo: kind === undefined ? undefined : { kind },
    }
    const asking = request(linkMessage, { attributes }, { type: RTM_GETLINK, op: 'list', target: 'links' })
    const links: Link[] = []
    for await (const link of this.#connection.dump(asking, readLink)) links.push(link)
    return wanted ? named(links, await namesOf(this.#connection)) : links
  }

  /** One interface. Throws NETLINK_NOT_FOUND when it does not exist. `ip -d -s link show dev <name>` */
  async get(link: LinkRef): Promise<Link> {
    take('find link', link, ['link', 'link'])
    const [found] = await this.#connection.ask(getLink('find link', link), readLink)
    return found as Link
  }
}

/** The index of a peer in another namespace has no name here. */
function named(links: readonly Link[], nameOf: NameOf): Link[] {
  return links.map(link => {
    const fields = link.peerNamespace === undefined ? { peerName: 'peer' as const } : {}
    return nameFields(link, nameOf, { masterName: 'master', ...fields })
  })
}

export function readLink({ body }: Message): Link {
  return linkOf(linkMessage.read(body))
}
