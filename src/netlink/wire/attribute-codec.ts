import type { Codec, Reader } from '../../base/index.ts'

/** A codec that says something about the attribute around it. */
export interface AttributeCodec<T> extends Codec<T> {
  /** The attribute's type carries NLA_F_NESTED. */
  readonly flagged?: boolean
  /** The attribute comes once per element of the value, an array. */
  readonly element?: Codec<unknown>
  /** Holds only where an earlier attribute has this value: `['kind', 'bridge']`. */
  readonly condition?: readonly [sibling: string, value: unknown]
  /** Our name for the attribute at an offset of the message, for the kernel's complaints. */
  locate?(from: Reader, offset: number): string | undefined
}

/** Our name → the kernel's number and the codec of what is inside. */
export type AttributeTable = Readonly<Record<string, readonly [type: number, codec: AttributeCodec<unknown>]>>

/** An attribute the table does not know, as it came. `type` includes the flag bits. */
export interface UnknownAttribute {
  readonly type: number
  readonly bytes: Uint8Array
}

/** A line of a table, as reader and writer use it; `type` has its flag bit. */
export interface Entry {
  readonly name: string
  readonly type: number
  readonly codec: AttributeCodec<unknown>
}
export type Values = Record<string, unknown>
