import { type Shape, shape, taker } from '../base/index.ts'

/** What the calls of this floor take, for callers without a compiler. Arguments of commands are QEMU's to check. */

const { text, number, action } = shape

const isObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const method = (name: string) => (value: unknown) =>
  typeof (value as Record<string, unknown> | null | undefined)?.[name] === 'function'

const signal = shape.of('an AbortSignal', method('addEventListener'))
const timeoutMs = shape.of(
  'a number of milliseconds',
  value => typeof value === 'number' && !Number.isNaN(value),
)
const clock = shape.of('a clock', method('after'))
const wait = { timeoutMs, signal }
const greeting = shape.of('the greeting of a monitor', isObject)
const connecting = { ...wait, peer: text, clock, connectMs: timeoutMs, greeting }
const place = shape.of('the path of a unix socket, or { host, port }', isPlace)

function isPlace(value: unknown): boolean {
  if (typeof value === 'string') return true
  const { host, port } = (isObject(value) ? value : {}) as { host?: unknown; port?: unknown }
  return (
    typeof host === 'string' && Number.isInteger(port) && (port as number) >= 0 && (port as number) <= 0xffff
  )
}

function isEventFilter(value: unknown): boolean {
  if (value === undefined || typeof value === 'string' || typeof value === 'function') return true
  return Array.isArray(value) && value.every(name => typeof name === 'string')
}

const takes = {
  text,
  timeoutMs,
  action,
  place,
  address: shape.of('the path of a unix socket, { host, port }, or a file descriptor', value =>
    typeof value === 'number' ? Number.isInteger(value) && value >= 0 : isPlace(value),
  ),
  port: shape.of('a Port, such as adoptStream returns', method('receive')),
  connecting: shape.options(connecting),
  command: shape.of('the name of a command', value => typeof value === 'string'),
  arguments: shape.of('an object', value => value === undefined || isObject(value)),
  execute: shape.options({ ...wait, fds: shape.list(number), oob: shape.flag, longestReply: number }),
  events: shape.of('the name of an event, several, or a function', isEventFilter),
  listening: shape.options({ limit: number }),
  once: shape.options(wait),
  program: shape.of(
    'a text for /bin/sh, or a list of a program and its arguments',
    value =>
      typeof value === 'string' || (Array.isArray(value) && value.every(one => typeof one === 'string')),
  ),
  exec: shape.options({
    ...wait,
    input: shape.of('text or bytes', value => typeof value === 'string' || value instanceof Uint8Array),
    env: shape.of('an object of texts', value => isObject(value) && Object.values(value).every(isText)),
    outputLimit: number,
  }),
} as const satisfies Readonly<Record<string, Shape>>

function isText(value: unknown): boolean {
  return typeof value === 'string'
}

/** The argument, if it is what `wanted` names. Throws BAD_ARGUMENT. */
export const take = taker(takes)
