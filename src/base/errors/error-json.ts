import { type ErrorKind, firstFailure, messageOf, XclusterError } from './errors.ts'
import { systemFailure } from './system-error.ts'

/** The form of an error in the owner's API and on the start pipe. */
export interface ErrorJson {
  readonly code: string
  readonly kind: ErrorKind
  /** The whole sentence, for clients that show nothing else. */
  readonly message: string
  readonly reason: string
  readonly op?: string
  readonly target?: string
  readonly remedy?: string
  /** Fields that a floor's own error class adds: `errno`, `offset`, `outcome` … */
  readonly details?: Readonly<Record<string, string | number | boolean>>
  /** The stack of the throw; only `--debug` shows it. */
  readonly stack?: string
}

const known = new Set([
  'name',
  'code',
  'kind',
  'op',
  'target',
  'reason',
  'remedy',
  'message',
  'stack',
  'cause',
])
const kinds: readonly string[] = ['failed', 'usage', 'missing', 'prerequisite'] satisfies ErrorKind[]

/** Describes any thrown value. One that is not an {@link XclusterError} gets the code `INTERNAL`. */
export function errorToJson(failure: unknown): ErrorJson {
  const first = firstFailure(failure)
  const thrown = systemFailure(first) ?? first
  const stack = thrown instanceof Error && thrown.stack ? { stack: thrown.stack } : {}
  if (!(thrown instanceof XclusterError)) {
    const message = messageOf(thrown)
    return { code: 'INTERNAL', kind: 'failed', message, reason: message, ...stack }
  }
  const details = Object.entries(thrown).filter(([name, value]) => !known.has(name) && isPlain(value))
  return {
    code: thrown.code,
    kind: thrown.kind,
    message: thrown.message,
    reason: thrown.reason,
    ...(thrown.op !== undefined && { op: thrown.op }),
    ...(thrown.target !== undefined && { target: thrown.target }),
    ...(thrown.remedy !== undefined && { remedy: thrown.remedy }),
    ...(details.length > 0 && { details: Object.fromEntries(details) }),
    ...stack,
  }
}

/** An error of another process, with everything that was known of it there. */
export class RemoteError extends XclusterError {
  readonly details: ErrorJson['details']
  readonly remoteStack: string | undefined

  constructor(json: ErrorJson) {
    super(json)
    this.details = json.details
    this.remoteStack = json.stack
  }
}

/** Reads an error back. Undefined when `value` is not one. */
export function errorFromJson(value: unknown): RemoteError | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const json = value as ErrorJson
  if (typeof json.code !== 'string' || typeof json.reason !== 'string') return undefined
  return new RemoteError(kinds.includes(json.kind) ? json : { ...json, kind: 'failed' })
}

function isPlain(value: unknown): value is string | number | boolean {
  return ['string', 'number', 'boolean'].includes(typeof value)
}
