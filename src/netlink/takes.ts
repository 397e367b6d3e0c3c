import { type Shape, shape, taker } from '../base/index.ts'

/** What the calls of this floor take, for callers without a compiler. */

const { text, number, action } = shape

const method = (value: unknown, name: string): boolean =>
  typeof (value as Record<string, unknown> | null | undefined)?.[name] === 'function'
const codec = shape.of('a codec, such as u32', value => method(value, 'write') && method(value, 'read'))
const writer = shape.of('a codec, such as attributes({ … })', value => method(value, 'write'))
const sixteen = shape.of(
  'an integer from 0 to 65535',
  value => Number.isInteger(value) && (value as number) >= 0 && (value as number) <= 0xffff,
)
const about = { type: sixteen, op: text }

const takes = {
  action,
  codec,
  writer,
  reader: shape.of('a codec, such as attributes({ … })', value => method(value, 'read')),
  bytes: shape.bytes,
  text,
  number,
  object: shape.record({}),
  about: shape.record(about),
  table: shape.of('a table of lines [type, codec]', isTable),
  fields: shape.of('an object of codecs', isFields),
  requests: shape.list(shape.record({ ...about, body: writer }, { flags: sixteen })),
  protocol: shape.of("'route', 'netfilter', 'generic', 'sockDiag', 'xfrm', or a number", isProtocol),
  opening: shape.options({ namespace: shape.of('a NetNamespace', isNamespace), receiveBuffer: shape.count }),
  subscription: shape.record({ groups: shape.list(shape.count), read: action }),
} as const satisfies Readonly<Record<string, Shape>>

function isFields(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  return Object.values(value).every(one => codec(one, '') === undefined)
}

function isTable(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  return Object.values(value).every(
    line =>
      Array.isArray(line) && Number.isInteger(line[0]) && line[0] >= 0 && codec(line[1], '') === undefined,
  )
}

function isProtocol(value: unknown): boolean {
  const names = ['route', 'netfilter', 'generic', 'sockDiag', 'xfrm']
  return Number.isInteger(value) || names.includes(value as string)
}

/** One of another version of this package is as good. */
function isNamespace(value: unknown): boolean {
  return typeof (value as { fd?: unknown } | null)?.fd === 'number'
}

/** The argument, if it is what `wanted` names. Throws BAD_ARGUMENT. */
export const take = taker(takes)
