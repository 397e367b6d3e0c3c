import { messageOf, printable, shape } from '../base/index.ts'
import { QmpError } from './errors.ts'
import { jsonOf, parseJson } from './json.ts'

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
  /** Its name: `STOP`. */
  readonly type: Name
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

/** Encodes a command, without line end. Compact, because QEMU 7.2 takes a turn of its main loop for every byte. */
export function encodeRequest({ command, args, id, oob }: Request): string {
  const verb = oob ? 'exec-oob' : 'execute'
  const rest = args === undefined ? '' : `,"arguments":${args}`
  return `{"${verb}":${JSON.stringify(command)}${rest}${id === undefined ? '' : `,"id":${id}`}}`
}

/** QEMU's own limit is 1024, with the command around them (qemu `qobject/json-streamer.c`). */
const maxDepth = 1000

/**
 * What QEMU's parser refuses in a text, with one error or more that have no id (qemu `util/unicode.c`): lone surrogates,
 * escaped or not, and noncharacters.
 */
const unparsable = /(?<!\\)(?:\\\\)*\\ud[89a-f]|[\p{Surrogate}\p{Noncharacter_Code_Point}]/u

/**
 * Arguments as JSON, bigints as integers. Texts that QEMU cannot parse must not be sent, nor ones nested too deeply: QEMU
 * answers with an error for every bracket, and none has an id that says which command it belongs to.
 */
export function encodeArguments(command: string, args: object): string {
  try {
    const json = jsonOf(args)
    if (unparsable.test(json)) throw new TypeError('a text in them has a lone surrogate or a noncharacter')
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

/** Commands of QEMU have such names (qemu `docs/devel/qapi-code-gen.rst`), and no others could be parsed for certain. */
export function checkCommand(command: string): void {
  if (!/^[\w.-]+$/.test(command)) throw badArguments(command, 'that is not the name of a command')
}

function badArguments(command: string, reason: string, cause?: unknown): QmpError {
  return new QmpError({ code: 'QMP_BAD_ARGUMENTS', kind: 'usage', command, outcome: 'unsent', reason, cause })
}

/** Characters. QEMU's own reasons have a few hundred; a guest's agent says what it likes. */
const longestReason = 1000

/** Decodes one line. Throws QMP_MALFORMED when it is not a message of the protocol. */
export function decodeMessage(line: string): Message {
  const message = parse(line)
  if ('return' in message) return { kind: 'value', id: message.id, value: message.return }
  if (isRecord(message.error)) {
    const { class: errorClass, desc } = message.error
    if (typeof errorClass !== 'string' || typeof desc !== 'string') throw malformed(line)
    const [named, reason] = [printable(errorClass, 64), printable(desc, longestReason)]
    return { kind: 'refusal', id: message.id, errorClass: named, reason }
  }
  if (typeof message.event === 'string')
    return { kind: 'event', event: eventOf(printable(message.event, 64), message) }
  const greeting = greetingOf(message.QMP)
  if (greeting) return { kind: 'greeting', greeting }
  throw malformed(line)
}

function parse(line: string): Record<string, unknown> {
  try {
    const message = parseJson(line)
    if (isRecord(message)) return message
  } catch {} // reported below, with the line
  throw malformed(line)
}

function eventOf(type: string, { data, timestamp }: Record<string, unknown>): QmpEvent {
  const { seconds, microseconds } = isRecord(timestamp) ? timestamp : {}
  const at = numberOr(seconds, -1) * 1000 + numberOr(microseconds, 0) / 1000
  return { type, data: isRecord(data) ? data : {}, at }
}

/** `Number` throws for an object whose `toString` is not a function. */
function numberOr(value: unknown, other: number): number {
  return typeof value === 'number' ? value : other
}

const version = shape.record({
  qemu: shape.record({ major: shape.count, minor: shape.count, micro: shape.count }),
  package: shape.text,
})
const greetingShape = shape.record({ version }, { capabilities: shape.list(shape.text) })

function greetingOf(value: unknown): Greeting | undefined {
  if (greetingShape(value, 'QMP') !== undefined) return undefined
  const { version: told, capabilities = [] } = value as Partial<Greeting> & Pick<Greeting, 'version'>
  return { version: told, capabilities }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function malformed(line: string): QmpError {
  const shown = `"${printable(line, 80)}"`
  return new QmpError({ code: 'QMP_MALFORMED', reason: `${shown} is not a message of the monitor protocol` })
}
