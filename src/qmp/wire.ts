import { messageOf } from '../base/index.ts'
import { QmpError } from './errors.ts'

/** What QEMU says of itself on connect. */
export interface Greeting {
  readonly version: QemuVersion
  /** What may be enabled by `qmp_capabilities`: `oob`. */
  readonly capabilities: readonly string[]
}

export interface QemuVersion {
  readonly qemu: { readonly major: number; readonly minor: number; readonly micro: number }
  readonly package: string
}

/** Something that happened in QEMU without being asked for. */
export interface QmpEvent<Name extends string = string, Data = Readonly<Record<string, unknown>>> {
  readonly event: Name
  readonly data: Data
  /** When, in milliseconds since 1970, by the host's clock. */
  readonly at: number
}

/** What a line from QEMU or the guest agent says. `id` is what the command had; undefined when it had none. */
export type Message =
  | { readonly kind: 'greeting'; readonly greeting: Greeting }
  | { readonly kind: 'event'; readonly event: QmpEvent }
  | Reply

export type Reply =
  | { readonly kind: 'value'; readonly id: unknown; readonly value: unknown }
  | { readonly kind: 'refusal'; readonly id: unknown; readonly errorClass: string; readonly reason: string }

export interface Request {
  readonly command: string
  /** Its arguments, in JSON already. */
  readonly args?: string | undefined
  readonly id?: number | undefined
  /** To be run out of band: at once, whatever the main loop is busy with. */
  readonly oob?: boolean
}

/** A command as it is sent. Compact: QEMU 7.2 takes one turn of its main loop for every byte. */
export function encodeRequest({ command, args, id, oob }: Request): string {
  const verb = oob ? 'exec-oob' : 'execute'
  const rest = args === undefined ? '' : `,"arguments":${args}`
  return `{"${verb}":${JSON.stringify(command)}${rest}${id === undefined ? '' : `,"id":${id}`}}\n`
}

/** QEMU's own limit is 1024, the command around them included (qemu `qobject/json-streamer.c`). */
const maxDepth = 1000

/**
 * Arguments as JSON. Too deep ones must not be sent: QEMU answers them with a storm of errors, one for every
 * bracket, none with an id to tell whose they are.
 */
export function encodeArguments(command: string, args: object): string {
  try {
    const json = JSON.stringify(args)
    if (json.length <= 2 * maxDepth || depthOf(json) <= maxDepth) return json
  } catch (cause) {
    throw badArguments(command, messageOf(cause), cause)
  }
  throw badArguments(command, `its arguments are nested deeper than ${maxDepth}`)
}

/** A walk, not a regular expression: those run out of stack on a string of many megabytes. */
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

/** Reads one line. What is no message of the protocol throws QMP_MALFORMED. */
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
  } catch {} // said below, with the line
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
  return new QmpError({ code: 'QMP_MALFORMED', reason: `${shown} is no message of the monitor protocol` })
}
