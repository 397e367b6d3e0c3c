import { messageOf } from '../base/index.ts'
import { QmpError } from './errors.ts'

/** QEMU's greeting. */
export interface Greeting {
  readonly version: QemuVersion
  /** The capabilities that `qmp_capabilities` can enable: `oob`. */
  readonly capabilities: readonly string[]
}

export interface QemuVersion {
  readonly qemu: { readonly major: number; readonly minor: number; readonly micro: number }
  readonly package: string
}

/** An event of QEMU's. */
export interface QmpEvent<Name extends string = string, Data = Readonly<Record<string, unknown>>> {
  readonly event: Name
  readonly data: Data
  /** Its time, in milliseconds since 1970, by the host's clock. */
  readonly at: number
}

/**
 * The message in a line from QEMU or the guest agent. `id` is that of the command; undefined when it had
 * none.
 */
export type Message =
  | { readonly kind: 'greeting'; readonly greeting: Greeting }
  | { readonly kind: 'event'; readonly event: QmpEvent }
  | Reply

export type Reply =
  | { readonly kind: 'value'; readonly id: unknown; readonly value: unknown }
  | { readonly kind: 'refusal'; readonly id: unknown; readonly errorClass: string; readonly reason: string }

export interface Request {
  readonly command: string
  /** Its arguments, encoded as JSON. */
  readonly args?: string | undefined
  readonly id?: number | undefined
  /** Runs out of band: at once, whatever keeps QEMU's main loop busy. */
  readonly oob?: boolean
}

/** Encodes a command. Compact, because QEMU 7.2 takes a turn of its main loop for every byte. */
export function encodeRequest({ command, args, id, oob }: Request): string {
  const verb = oob ? 'exec-oob' : 'execute'
  const rest = args === undefined ? '' : `,"arguments":${args}`
  return `{"${verb}":${JSON.stringify(command)}${rest}${id === undefined ? '' : `,"id":${id}`}}\n`
}

/** QEMU's own limit is 1024, with the command around them (qemu `qobject/json-streamer.c`). */
const maxDepth = 1000

/**
 * Arguments as JSON. Ones nested too deeply must not be sent: QEMU answers them with an error for every
 * bracket, and none has an id that says which command it belongs to.
 */
export function encodeArguments(command: string, args: object): string {
  try {
    const json = JSON.stringify(args)
    if (json.length <= 2 * maxDepth || depthOf(json) <= maxDepth) return json
  } catch (cause) {
    throw badArguments(command, messageOf(cause), cause)
  }
  throw badArguments(command, `its arguments are nested more than ${maxDepth} levels deep`)
}

/** A loop, not a regular expression: those run out of stack on a string of many megabytes. */
function depthOf(json: string): number {
  let depth = 0
  let deepest = 0
  for (let at = 0; at < json.length; at++) {
    const mark = json[at]
    if (mark === '"') at = endOfString(json, at)
    else if (mark === '[' || mark === '{') deepest = Math.max(deepest, ++depth)
    else if (mark === ']' || mark === '}') depth--
  }
  return deepest
}

function endOfString(json: string, start: number): number {
  let at = start + 1
  while (json[at] !== '"') at += json[at] === '\\' ? 2 : 1
  return at
}

function badArguments(command: string, reason: string, cause?: unknown): QmpError {
  return new QmpError({ code: 'QMP_BAD_ARGUMENTS', kind: 'usage', command, outcome: 'unsent', reason, cause })
}

/** Decodes one line. Throws QMP_MALFORMED when it is not a message of the protocol. */
export function decodeMessage(line: string): Message {
  const message = parse(line)
  if ('return' in message) return { kind: 'value', id: message.id, value: message.return }
  if (isRecord(message.error)) {
    const { class: errorClass, desc } = message.error
    return { kind: 'refusal', id: message.id, errorClass: String(errorClass), reason: String(desc) }
  }
  if (typeof message.event === 'string') return { kind: 'event', event: eventOf(message.event, message) }
  const greeting = greetingOf(message.QMP)
  if (greeting) return { kind: 'greeting', greeting }
  throw malformed(line)
}

function parse(line: string): Record<string, unknown> {
  try {
    const message: unknown = JSON.parse(line)
    if (isRecord(message)) return message
  } catch {} // reported below, with the line
  throw malformed(line)
}

function eventOf(event: string, { data, timestamp }: Record<string, unknown>): QmpEvent {
  const { seconds, microseconds } = isRecord(timestamp) ? timestamp : {}
  const at = Number(seconds ?? -1) * 1000 + Number(microseconds ?? 0) / 1000
  return { event, data: isRecord(data) ? data : {}, at }
}

function greetingOf(value: unknown): Greeting | undefined {
  if (!isRecord(value) || !isRecord(value.version) || !isRecord(value.version.qemu)) return undefined
  const { qemu, package: packaged } = value.version
  const { major, minor, micro } = qemu
  return {
    version: {
      qemu: { major: Number(major), minor: Number(minor), micro: Number(micro) },
      package: String(packaged ?? ''),
    },
    capabilities: Array.isArray(value.capabilities) ? value.capabilities.map(String) : [],
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function malformed(line: string): QmpError {
  const shown = JSON.stringify(line.length > 80 ? `${line.slice(0, 80)}…` : line)
  return new QmpError({ code: 'QMP_MALFORMED', reason: `${shown} is not a message of the monitor protocol` })
}
