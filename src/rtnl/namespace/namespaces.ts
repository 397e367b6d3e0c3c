import { type Connection, type NetNamespace, request } from '../../netlink/index.ts'
import type { Operation, Sink } from '../operation.ts'
import { take } from '../takes.ts'
import * as wire from '../wire/index.ts'

export function setNamespaceId(namespace: NetNamespace, id: number | undefined): Operation {
  take('give an id to a namespace', namespace, ['namespace', 'namespace'])
  if (id !== undefined) take('give an id to a namespace', id, ['number', 'id'])
  const attributes = { fd: namespace.fd, id: id ?? wire.NETNSA_NSID_NOT_ASSIGNED }
  const about = { type: wire.RTM_NEWNSID, op: 'give an id to', target: namespace.path }
  return { refers: [], requests: () => [request(wire.namespaceMessage, { attributes }, about)] }
}

/** Changes of the ids of other namespaces, each at once or in a batch. */
export class NamespaceChanges<Done> {
  readonly #sink: Sink<Done>

  constructor(sink: Sink<Done>) {
    this.#sink = sink
  }

  /**
   * Gives another namespace an id in this one. By default the kernel chooses it. It cannot be changed, and lasts as long
   * as both namespaces. `ip netns set <name> <id>|auto`
   */
  setId(namespace: NetNamespace, id?: number): Done {
    return this.#sink(() => setNamespaceId(namespace, id))
  }
}

/** The ids that this namespace has for others: a link's `peerNamespace` is one. */
export class Namespaces extends NamespaceChanges<Promise<void>> {
  readonly #connection: Connection

  constructor(connection: Connection, sink: Sink<Promise<void>>) {
    super(sink)
    this.#connection = connection
  }

  /** The ids in use. `ip netns list-id` */
  async list(): Promise<number[]> {
    const about = { type: wire.RTM_GETNSID, op: 'list', target: 'ids of namespaces' }
    const ids: number[] = []
    for await (const { attributes } of this.#connection.dump(
      request(wire.namespaceMessage, {}, about),
      ({ body }) => wire.namespaceMessage.read(body),
    ))
      if (attributes.id !== undefined) ids.push(attributes.id)
    return ids
  }

  /** The id of a namespace here; undefined if it has none. */
  async idOf(namespace: NetNamespace): Promise<number | undefined> {
    take('find the id of a namespace', namespace, ['namespace', 'namespace'])
    const about = { type: wire.RTM_GETNSID, op: 'find the id of', target: namespace.path }
    const asking = request(wire.namespaceMessage, { attributes: { fd: namespace.fd } }, about)
    const [found] = await this.#connection.ask(asking, ({ body }) => wire.namespaceMessage.read(body))
    const id = found?.attributes.id
    return id === wire.NETNSA_NSID_NOT_ASSIGNED ? undefined : id
  }
}
