import {
  type ErrorDetails,
  errnoName,
  errnoText,
  messageOf,
  rangeText,
  XclusterError,
} from '../base/index.ts'
import type { Ack } from './wire/ack.ts'

export interface NetlinkErrorDetails extends ErrorDetails {
  readonly errno?: number
  readonly offset?: number
  readonly attribute?: string
  readonly others?: readonly NetlinkError[]
}

/** A request that the kernel refused, or whose answer never arrived. `reason` has the kernel's own words. */
export class NetlinkError extends XclusterError {
  /** The kernel's errno; absent when the refusal did not come from the kernel. */
  readonly errno: number | undefined
  /** The name of the errno, `EEXIST`. */
  readonly errnoName: string | undefined
  /** Offset of the refused attribute in bytes, from the start of its message. */
  readonly offset: number | undefined
  /** The refused or missing attribute by its name here, `linkInfo.bridge.stp`. */
  readonly attribute: string | undefined
  /** The other failures of the same batch. */
  readonly others: readonly NetlinkError[]

  constructor(details: NetlinkErrorDetails) {
    super(details)
    this.errno = details.errno
    this.errnoName = details.errno === undefined ? undefined : errnoName(details.errno)
    this.offset = details.offset
    this.attribute = details.attribute
    this.others = details.others ?? []
  }
}

type Verdict = Pick<ErrorDetails, 'code' | 'kind' | 'remedy'>

const notFound: Verdict = { code: 'NETLINK_NOT_FOUND' }
const invalid: Verdict = { code: 'NETLINK_INVALID' }
const notPermitted: Verdict = {
  code: 'NETLINK_NOT_PERMITTED',
  kind: 'prerequisite',
  remedy: 'Run it as root, or in a network namespace of your own',
}
const unsupported: Verdict = { code: 'NETLINK_UNSUPPORTED', kind: 'prerequisite' }

const verdicts: Readonly<Record<string, Verdict>> = {
  EEXIST: { code: 'NETLINK_EXISTS' },
  ENODEV: notFound,
  ENOENT: notFound,
  ESRCH: notFound,
  EADDRNOTAVAIL: notFound,
  EPERM: notPermitted,
  EACCES: notPermitted,
  EINVAL: invalid,
  ERANGE: invalid,
  EMSGSIZE: invalid,
  EOPNOTSUPP: unsupported,
  EAFNOSUPPORT: unsupported,
  EPROTONOSUPPORT: unsupported,
  EBUSY: { code: 'NETLINK_IN_USE' },
}

const refused: Verdict = { code: 'NETLINK_REFUSED' }

/** The operation and its target, for error messages. */
export interface Doing {
  readonly op: string
  readonly target?: string
}

/** The error of an acknowledgement. `attribute` names the attribute at its offset. */
export function refusal(doing: Doing, ack: Ack, attribute?: string): NetlinkError {
  return new NetlinkError({
    ...(verdicts[errnoName(ack.errno)] ?? refused),
    op: doing.op,
    ...(doing.target !== undefined && { target: doing.target }),
    errno: ack.errno,
    reason: reasonOf(ack, attribute),
    ...(ack.offset !== undefined && { offset: ack.offset }),
    ...(attribute !== undefined && { attribute }),
  })
}

/** `Invalid argument: mtu less than device minimum (mtu)`: the strerror text, the extended ack, the attribute. */
function reasonOf(ack: Ack, attribute: string | undefined): string {
  const text = [errnoText(ack.errno), ack.message?.replace(/[.\n]+$/, '')].filter(Boolean).join(': ')
  const range =
    ack.policy?.min !== undefined || ack.policy?.max !== undefined
      ? `, allowed ${ack.policy.min ?? 0} to ${ack.policy.max ?? 'any'}`
      : ''
  if (attribute !== undefined) return `${text} (${attribute}${range})`
  if (ack.missingType !== undefined) return `${text} (attribute ${ack.missingType} is missing)`
  return text
}

/** A number that is too large or too small for its field. */
export interface OutOfRange extends Doing {
  /** Its name here: `weight`. */
  readonly field: string
  readonly value: unknown
  readonly least: number
  readonly most: number
}

/**
 * The error of a value that its field cannot hold, which reads alike wherever it is found: NETLINK_ENCODE, with `weight:
 * 300 is not an integer from 1 to 256` for its reason.
 */
export function outOfRange({ field, value, least, most, ...doing }: OutOfRange): NetlinkError {
  const reason = `${field}: ${rangeText(value, least, most)}`
  return new NetlinkError({ code: 'NETLINK_ENCODE', kind: 'usage', ...doing, reason, attribute: field })
}

/** The value, if it is an integer in the range. Throws NETLINK_ENCODE. */
export function inRange(about: OutOfRange): number {
  const { value, least, most } = about
  if (Number.isInteger(value) && (value as number) >= least && (value as number) <= most)
    return value as number
  throw outOfRange(about)
}

/** The first failure, with the others of the same batch in it. */
export function firstOf(failures: readonly NetlinkError[], tried: number): NetlinkError {
  const [first, ...others] = failures as [NetlinkError, ...NetlinkError[]]
  if (others.length === 0) return first
  return new NetlinkError({
    ...(first as NetlinkErrorDetails),
    reason: `${first.reason} (and ${others.length} more of ${tried} failed)`,
    others,
  })
}

/** The error of a request on a closed socket: it was closed by its user, or it failed. */
export function closedError(doing: Doing, cause?: Error): NetlinkError {
  const reason = cause ? `the netlink socket failed: ${cause.message}` : 'the netlink socket is closed'
  return new NetlinkError({ code: 'NETLINK_CLOSED', ...doing, reason, ...(cause && { cause }) })
}

const ENOBUFS = 105

/** The error of a request whose answer the kernel dropped (ENOBUFS): its outcome is unknown. */
export function overrunError(doing: Doing): NetlinkError {
  return new NetlinkError({
    code: 'NETLINK_ANSWERS_LOST',
    ...doing,
    errno: ENOBUFS,
    reason: 'the kernel dropped answers because the receive buffer was full; the outcome is unknown',
    remedy: 'List the present state before you try again',
  })
}

/** The error of a request that could not be sent: nothing was done. */
export function sendError(doing: Doing, cause: unknown): NetlinkError {
  return new NetlinkError({ code: 'NETLINK_SEND', ...doing, reason: messageOf(cause), cause })
}
