import type { Codec, Reader } from '../../base/index.ts'

/** A codec with properties of the attribute around its value. */
export interface AttributeCodec<T> extends Codec<T> {
  /** The attribute's type carries NLA_F_NESTED. */
  readonly flagged?: boolean
  /** The value is an array, and each element is an attribute of its own. */
  readonly element?: Codec<unknown>
  /** The codec applies only when an earlier attribute has this value: `['kind', 'bridge']`. */
  readonly condition?: readonly [sibling: string, value: unknown]
  /** The name here of the attribute at an offset of the message, for the kernel's refusals. */
  locate?(from: Reader, offset: number): string | undefined
}

/** For each name here, the kernel's number and the codec of the attribute's content. */
export type AttributeTable = Readonly<Record<string, readonly [type: number, codec: AttributeCodec<unknown>]>>

/** An attribute that is not in the table, unchanged. `type` includes the flag bits. */
export interface UnknownAttribute {
  readonly type: number
  readonly bytes: Uint8Array
}

/** A line of a table, for reading and writing. `type` has its flag bit. */
export interface Entry {
  readonly name: string
  readonly type: number
  readonly codec: AttributeCodec<unknown>
}
export type Values = Record<string, unknown>
