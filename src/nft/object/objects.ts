import { NLM_F_CREATE, NLM_F_EXCL, type Request, request } from '../../netlink/index.ts'
import { type Family, refText } from '../names.ts'
import { inFamily, type RemoveOptions, type Sink } from '../operation.ts'
import { take } from '../takes.ts'
import { attachment } from '../user-data.ts'
import * as wire from '../wire/index.ts'
import { objectKinds } from './kinds.ts'
import type { NamedObject, ObjectKind, ObjectSpec } from './spec.ts'

/** An object to remove, by its name. Objects of different types can have one name. */
export type ObjectToRemove = NamedObject & { readonly type: ObjectKind['type'] }

/** Changes of named objects: counters, quotas, limits, helpers … */
export class ObjectChanges {
  readonly #sink: Sink

  constructor(sink: Sink) {
    this.#sink = sink
  }

  /** Adds an object, or changes the limit or quota of one that exists. `nft add counter …` */
  add(spec: ObjectSpec): void {
    take('add object', spec, 'ObjectSpec')
    this.#sink(() => [newObject(`add ${spec.type}`, spec, NLM_F_CREATE)])
  }

  /** Creates an object that does not exist. `nft create counter …` */
  create(spec: ObjectSpec): void {
    take('create object', spec, 'ObjectSpec')
    this.#sink(() => [newObject(`create ${spec.type}`, spec, NLM_F_CREATE | NLM_F_EXCL)])
  }

  /** Removes an object that nothing refers to. `nft delete counter …` */
  remove(which: ObjectToRemove, options: RemoveOptions = {}): void {
    take('delete object', which, 'ObjectToRemove')
    const { ifExists = false } = take('delete object', options, 'RemoveOptions')
    const { table, name, type } = which
    const message = ifExists ? wire.NFT_MSG_DESTROYOBJ : wire.NFT_MSG_DELOBJ
    const about = { type: message, op: `delete ${type}`, target: objectText(which) }
    const value = inFamily(table.family, { table: table.name, name, type })
    this.#sink(() => [request(wire.objectMessage, value, about)])
  }
}

const objectText = ({ table, name }: NamedObject): string => `${refText(table)} ${name}`

function newObject(op: string, spec: ObjectSpec, flags: number): Request {
  const { table, name, type, comment } = spec
  const value = inFamily(table.family, {
    table: table.name,
    name,
    type,
    ...attachment({ comment }),
    ...objectData(spec, table.family),
  })
  return request(wire.objectMessage, value, {
    type: wire.NFT_MSG_NEWOBJ,
    flags,
    op,
    target: objectText(spec),
  })
}

/** The attribute with the data of an object. */
export function objectData(kind: ObjectKind, family: Family): wire.ObjectData & { other?: Uint8Array } {
  if ('data' in kind) return { other: kind.data }
  const { write } = objectKinds[kind.type] as { write(kind: ObjectKind, family: Family): unknown }
  return { [kind.type]: write(kind, family) }
}
