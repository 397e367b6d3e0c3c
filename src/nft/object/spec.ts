import type { TableRef } from '../names.ts'
import type { Rate } from '../rule/stateful.ts'
import type { trackedFamilies } from '../words.ts'

/** An object by its name. */
export interface NamedObject {
  readonly table: TableRef
  readonly name: string
}

/** Counts packets and bytes, starting from the given values. */
export interface CounterSpec {
  readonly type: 'counter'
  readonly packets?: bigint
  readonly bytes?: bigint
}

/** A number of bytes. Packets match until it is used up or, with `over`, after that. */
export interface QuotaSpec {
  readonly type: 'quota'
  readonly bytes: bigint
  readonly over?: boolean
  /** How much of it has been used. */
  readonly used?: bigint
}

export interface LimitSpec extends Rate {
  readonly type: 'limit'
}

/** Matches while there are at most so many connections or, with `over`, when there are more. */
export interface ConnlimitSpec {
  readonly type: 'connlimit'
  readonly count: number
  readonly over?: boolean
}

interface Tracked {
  readonly protocol: number | 'tcp' | 'udp'
  /** The packets that it is for. Default: those of the table's family. */
  readonly family?: (typeof trackedFamilies)[number]
}

/** Follows a protocol that opens further connections: `ftp`, `sip` … */
export interface HelperSpec extends Tracked {
  readonly type: 'ct helper'
  readonly helper: string
}

/** How long connections are remembered, in seconds by their state: `established`, `replied` … */
export interface TimeoutSpec extends Tracked {
  readonly type: 'ct timeout'
  readonly policy: Readonly<Record<string, number>>
}

/** Expects connections to a port from the other side of a connection. */
export interface ExpectationSpec extends Tracked {
  readonly type: 'ct expectation'
  readonly port: number
  readonly timeoutMs: number
  /** The most that are expected at once. */
  readonly size: number
}

/** Answers TCP handshakes in place of a server, and passes on those that are complete. */
export interface SynproxyOptions {
  readonly mss?: number
  readonly windowScale?: number
  readonly timestamp?: boolean
  readonly sackPermitted?: boolean
}

export interface SynproxySpec extends SynproxyOptions {
  readonly type: 'synproxy'
}

export interface SecmarkSpec {
  readonly type: 'secmark'
  readonly context: string
}

/** An object whose data have no names here. */
export interface OtherObjectSpec {
  readonly type: 'tunnel' | number
  readonly data: Uint8Array
}

/** What an object is, by its type. */
export type ObjectKind =
  | CounterSpec
  | QuotaSpec
  | LimitSpec
  | ConnlimitSpec
  | HelperSpec
  | TimeoutSpec
  | ExpectationSpec
  | SynproxySpec
  | SecmarkSpec
  | OtherObjectSpec

/** An object to add. Rules and maps refer to it by its name. */
export type ObjectSpec = NamedObject & { readonly comment?: string } & ObjectKind
