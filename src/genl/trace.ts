import type { Body, Message, MessageDecoder } from '../netlink/index.ts'
import { controlMessage, GENL_ID_CTRL } from './wire/generic.ts'

/** A family with the attributes that it is used with. */
interface Known {
  readonly name: string
  readonly body: Pick<Body<unknown>, 'read'>
}

/** Commands by the kernel's names, by family (linux/genetlink.h, linux/wireguard.h). */
const commands: Readonly<Record<string, Readonly<Record<number, string>>>> = {
  nlctrl: {
    ...{ 1: 'CTRL_CMD_NEWFAMILY', 2: 'CTRL_CMD_DELFAMILY', 3: 'CTRL_CMD_GETFAMILY' },
    ...{ 7: 'CTRL_CMD_NEWMCAST_GRP', 8: 'CTRL_CMD_DELMCAST_GRP' },
  },
  wireguard: { 0: 'WG_CMD_GET_DEVICE', 1: 'WG_CMD_SET_DEVICE' },
}

/** Attributes that never go into a trace. */
const secrets: ReadonlySet<string> = new Set(['privateKey', 'presharedKey'])

/** What traces know of generic netlink: the families that were asked for, with the attributes that they are used with. */
export class GenericDecoder implements MessageDecoder {
  readonly area = 'netlink'
  readonly family = 'generic'
  readonly #known = new Map<number, Known>([[GENL_ID_CTRL, { name: 'nlctrl', body: controlMessage }]])

  /** Each use of a family can have attributes of its own: the latest count. */
  learn(id: number, known: Known): void {
    this.#known.set(id, known)
  }

  nameOf(type: number): string | undefined {
    return this.#known.get(type)?.name
  }

  read({ type, body }: Message): unknown {
    const known = this.#known.get(type)
    if (!known) return body.take(body.left)
    const { command, ...rest } = known.body.read(body) as { command: number }
    return { command: commands[known.name]?.[command] ?? command, ...(readable(rest) as object) }
  }
}

function readable(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(readable)
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value
  const entries = Object.entries(value).map(([name, field]) => [
    name,
    secrets.has(name) && field instanceof Uint8Array ? `(secret, ${field.length} bytes)` : readable(field),
  ])
  return Object.fromEntries(entries)
}
