import { type Connection, type NetlinkError, request } from '../../netlink/index.ts'
import { refText } from '../names.ts'
import { inFamily } from '../operation.ts'
import { setElements } from '../set/elements.ts'
import { keyType } from '../set/make.ts'
import { checkSet, type SetShape } from '../set/shape.ts'
import { spanOf, valueText } from '../set/span.ts'
import type { ElementKeyIn, KeyType, NamedSet } from '../set/spec.ts'
import * as wire from '../wire/index.ts'
import type { Element } from './model.ts'
import { readElements, readSet } from './read.ts'
import { elementsOf, type SetMessage, shapeOf } from './set.ts'

/** Values to look for in a set or map. */
export interface ElementQuery<K extends KeyType> extends NamedSet {
  readonly type: K
  readonly keys: readonly ElementKeyIn<K>[]
}

/** The set's own message. Throws NETLINK_NOT_FOUND. */
export async function askForSet(
  connection: Connection,
  { table, name }: NamedSet,
  op: string,
): Promise<SetMessage | undefined> {
  const about = { type: wire.NFT_MSG_GETSET, op, target: `${refText(table)} ${name}` }
  const asking = request(wire.setMessage, inFamily(table.family, { table: table.name, name }), about)
  return (await connection.ask(asking, readSet))[0]
}

/** The element that each value is in, or undefined. */
export async function findElements<K extends KeyType>(
  connection: Connection,
  { table, name, type, keys }: ElementQuery<K>,
): Promise<(Element | undefined)[]> {
  const set = await askForSet(connection, { table, name }, 'find elements')
  if (set === undefined) return keys.map(() => undefined)
  const shape = shapeOf(set)
  checkSet(name, shape, { type: keyType(type), what: 'the value' })
  const asking = keys.map(key => {
    const piece = { span: key === '*' ? undefined : spanOf<unknown>(shape.type, key) }
    const elements = setElements(shape, [piece], { merge: false, leading: false })
    const target = `${refText(table)} ${name}: ${valueText(key)}`
    const value = inFamily(table.family, { table: table.name, set: name, elements })
    return request(wire.elementsMessage, value, {
      type: wire.NFT_MSG_GETSETELEM,
      op: 'find elements',
      target,
    })
  })
  const answers = await connection.askEach(asking, message => readElements(message).attributes.elements ?? [])
  return answers.map(answer => found(answer, shape))
}

function found(answer: wire.WireElement[][] | NetlinkError, shape: SetShape): Element | undefined {
  if (Array.isArray(answer)) return elementsOf(shape, answer.flat())[0]
  if (answer.code === 'NETLINK_NOT_FOUND') return undefined
  throw answer
}
