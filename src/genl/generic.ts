import { shape, taken } from '../base/index.ts'
import {
  type AttributeCodec,
  type Body,
  type Connection,
  connect,
  type Message,
  NetlinkError,
  type NetNamespace,
  request,
  type Subscription,
  subscribe,
  type request as toRequest,
} from '../netlink/index.ts'
import { GenericDecoder } from './trace.ts'
import {
  CTRL_CMD_GETFAMILY,
  controlMessage,
  GENL_ID_CTRL,
  type GenericMessage,
  genericMessage,
} from './wire/generic.ts'

/** A generic netlink family, as the kernel describes it. */
export interface Family {
  /** `wireguard`, `ethtool`, `nl80211`. */
  readonly name: string
  /** The number of its messages in this kernel, until it is restarted or the family's module is. */
  readonly id: number
  readonly version: number
  /** Bytes of its own header after struct genlmsghdr; 0 for nearly all. */
  readonly headerSize: number
  readonly maxAttribute: number
  /** Its commands: GENL_ADMIN_PERM is 1, DO 2, DUMP 4, HASPOL 8, UNS_ADMIN_PERM 16. */
  readonly operations: readonly { readonly command: number; readonly flags: number }[]
  /** Its multicast groups. */
  readonly groups: readonly { readonly name: string; readonly id: number }[]
}

/** Where a socket is opened. */
export interface OpenOptions {
  /** The network namespace of the socket. Default: that of this process. */
  readonly namespace?: NetNamespace
}

/** A command of a family. `op` and `target` name it in errors: `configure wg0: Operation not permitted`. */
export interface GenericCommand<A> {
  readonly command: number
  readonly attributes?: A
  readonly op: string
  readonly target?: string
  /** NLM_F_* flags beside REQUEST and ACK. */
  readonly flags?: number
}

/**
 * Generic netlink (NETLINK_GENERIC): families by name, their commands and events. `genl ctrl list`
 *
 * ```ts
 * await using generic = openGeneric()
 * const ethtool = await generic.use('ethtool', attributes({ header: [1, nested(attributes({ name: [2, text] }))] }))
 * for await (const { attributes } of ethtool.dump({ command: 4, op: 'list', target: 'link states' })) …
 * ```
 */
export class Generic implements AsyncDisposable {
  readonly #connection: Connection
  readonly #options: OpenOptions
  readonly #families = new Map<string, Promise<Family>>()
  readonly #decoder: GenericDecoder

  /** `decoder`: what the connection's trace knows. */
  constructor(connection: Connection, options: OpenOptions = {}, decoder = new GenericDecoder()) {
    this.#connection = connection
    this.#options = options
    this.#decoder = decoder
  }

  /** All families of this kernel. `genl ctrl list` */
  async families(): Promise<Family[]> {
    const asking = request(
      controlMessage,
      { command: CTRL_CMD_GETFAMILY, version: 2 },
      {
        ...{ type: GENL_ID_CTRL, op: 'list', target: 'generic netlink families' },
      },
    )
    const found: Family[] = []
    for await (const family of this.#connection.dump(asking, readFamily)) found.push(family)
    return found
  }

  /** A family by its name, asked for once. Throws GENERIC_FAMILY_MISSING. `genl ctrl get name <name>` */
  async family(name: string): Promise<Family> {
    taken('find generic netlink family', name, shape.called('name', shape.text))
    const known = this.#families.get(name)
    if (known !== undefined) return await known
    const asked = this.#ask(name)
    this.#families.set(name, asked)
    asked.catch(() => this.#families.delete(name)) // its module may be loaded later
    return await asked
  }

  /** Commands of a family, with its attributes. */
  async use<A>(name: string, attributes: AttributeCodec<A>): Promise<FamilyCommands<A>> {
    const body = genericMessage(attributes)
    const family = await this.family(name)
    this.#decoder.learn(family.id, { name, body })
    return new FamilyCommands(this.#connection, family, body)
  }

  /** Events of a multicast group, on a socket of its own. Leaving the loop closes it. */
  async subscribe<T>(
    name: string,
    group: string,
    read: (message: Message) => T | undefined,
  ): Promise<Subscription<T>> {
    taken('listen to generic netlink', read, shape.called('read', shape.action))
    const family = await this.family(name)
    const found = family.groups.find(each => each.name === group)
    if (found === undefined) throw missing(`the family ${name} has no group ${group}`, `${name} ${group}`)
    return subscribe('generic', {
      ...this.#options,
      decoder: this.#decoder,
      groups: [found.id],
      read: message => (message.type === family.id ? read(message) : undefined),
    })
  }

  close(): Promise<void> {
    return this.#connection.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #ask(name: string): Promise<Family> {
    const about = { type: GENL_ID_CTRL, op: 'find generic netlink family', target: name }
    const asking = request(
      controlMessage,
      { command: CTRL_CMD_GETFAMILY, version: 2, attributes: { name } },
      about,
    )
    try {
      const [family] = await this.#connection.ask(asking, readFamily)
      return family as Family
    } catch (refusal) {
      const absent = refusal instanceof NetlinkError && refusal.code === 'NETLINK_NOT_FOUND'
      throw absent ? missing(refusal.reason, name, refusal) : refusal
    }
  }
}

/** The commands of one family: the kernel answers with messages of the same attributes. */
export class FamilyCommands<A> {
  readonly family: Family
  readonly #connection: Connection
  readonly #body: Body<GenericMessage<A>, Partial<GenericMessage<A>>>

  constructor(
    connection: Connection,
    family: Family,
    body: Body<GenericMessage<A>, Partial<GenericMessage<A>>>,
  ) {
    this.#connection = connection
    this.family = family
    this.#body = body
  }

  /** Sends a command and waits for the kernel's acknowledgement. */
  async request(command: GenericCommand<A>): Promise<void> {
    await this.#connection.request(this.#request(command))
  }

  /** Sends several commands in few datagrams. The kernel carries them out in order, and continues after refusals. */
  async batch(commands: readonly GenericCommand<A>[]): Promise<void> {
    taken('send generic netlink commands', commands, shape.called('commands', shape.list(commandShape)))
    await this.#connection.batch(commands.map(command => this.#request(command)))
  }

  /** Sends a query and returns the kernel's answers. */
  async ask(command: GenericCommand<A>): Promise<GenericMessage<A>[]> {
    return await this.#connection.ask(this.#request(command), ({ body }) => this.#body.read(body))
  }

  /** Lists a table. Interrupted listings are repeated. */
  dump(command: GenericCommand<A>): AsyncGenerator<GenericMessage<A>, void, undefined> {
    return this.#connection.dump(this.#request(command), ({ body }) => this.#body.read(body))
  }

  #request(asked: GenericCommand<A>): ReturnType<typeof toRequest> {
    const { command, attributes, ...about } = taken('send generic netlink command', asked, commandShape)
    const { id, version } = this.family
    const value = { command, version, ...(attributes !== undefined && { attributes }) }
    return request(this.#body, value, { ...about, type: id })
  }
}

/** What a command is, for callers without a compiler. */
const commandShape = shape.record(
  { command: shape.number, op: shape.text },
  { target: shape.text, flags: shape.number },
)

function readFamily({ body }: Message): Family {
  const {
    id = 0,
    name = '',
    version = 0,
    headerSize = 0,
    maxAttribute = 0,
    ...rest
  } = controlMessage.read(body).attributes
  return {
    ...{ name, id, version, headerSize, maxAttribute },
    operations: (rest.operations ?? []).map(({ command = 0, flags = 0 }) => ({ command, flags })),
    groups: (rest.groups ?? []).map(({ name = '', id = 0 }) => ({ name, id })),
  }
}

function missing(reason: string, target: string, cause?: unknown): NetlinkError {
  return new NetlinkError({
    ...{ code: 'GENERIC_FAMILY_MISSING', kind: 'prerequisite', op: 'find generic netlink family', target },
    reason,
    remedy: 'Load the module that has it, or use a kernel with it',
    ...(cause !== undefined && { cause }),
  })
}

/** Opens generic netlink in a network namespace. Default: this process's own. */
export function openGeneric(options: OpenOptions = {}): Generic {
  taken('open generic netlink', options, shape.options())
  const decoder = new GenericDecoder()
  return new Generic(connect('generic', { ...options, decoder }), options, decoder)
}
