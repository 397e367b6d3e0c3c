import type { Hook, TableRef } from '../names.ts'
import type { ObjectKind } from '../object/spec.ts'
import type { Range } from '../set/span.ts'
import type { SetType } from '../types.ts'
import type { Expression, ObjectType, StatefulExpression, Verdict } from '../wire/index.ts'

/** A comment, and what else is attached. */
interface Commented {
  readonly comment?: string
  /** What other programs have attached for themselves, unchanged. */
  readonly userData?: Uint8Array
}

/** A table with its contents. */
export interface Table extends TableRef, Commented {
  readonly handle: bigint
  readonly dormant: boolean
  /** The port id of the netlink socket that owns it. */
  readonly owner?: number
  /** It stays when its owner's socket closes. */
  readonly persistent?: true
  readonly chains: readonly Chain[]
  readonly sets: readonly NftSet[]
  readonly objects: readonly NftObject[]
  readonly flowtables: readonly Flowtable[]
}

export interface Chain extends Commented {
  readonly name: string
  readonly handle: bigint
  /** Base chains have these four. */
  readonly type?: string
  readonly hook?: Hook
  readonly priority?: number
  readonly policy?: 'accept' | 'drop'
  readonly devices?: readonly string[]
  readonly offload?: true
  /** It belongs to the rule that jumps to it: `jump { … }`. */
  readonly anonymous?: true
  /** The packets that its policy has decided about, where iptables-nft counts them. */
  readonly counter?: { readonly packets: bigint; readonly bytes: bigint }
  readonly rules: readonly Rule[]
}

export interface Rule extends Commented {
  readonly table: TableRef
  readonly chain: string
  readonly handle: bigint
  /** The handle of the rule before it. */
  readonly after?: bigint
  readonly expressions: readonly Expression[]
  /** Of a rule by iptables-nft: the protocol that its extensions need. */
  readonly compat?: { readonly protocol?: number | undefined; readonly flags?: number | undefined }
}

/** A set or map. */
export interface NftSet extends Commented {
  readonly name: string
  readonly handle: bigint
  /**
   * nft's name for the type of its values, several for a concatenation, or its number when the type has no name
   * here.
   */
  readonly type: SetType | readonly SetType[] | number
  /** The bytes of a value. */
  readonly keyLength: number
  /** For a map: the type of what it maps to. */
  readonly to?: SetType | readonly SetType[] | 'verdict' | ObjectType | number
  readonly dataLength?: number
  readonly interval: boolean
  /** Its integers are stored in network order, as the field is that they are compared with. */
  readonly networkOrder?: true
  /** It belongs to one rule. */
  readonly anonymous: boolean
  readonly constant?: true
  readonly dynamic?: true
  /** Elements can have timeouts. */
  readonly timeouts?: true
  readonly timeoutMs?: number
  readonly gcIntervalMs?: number
  readonly policy?: 'memory'
  readonly autoMerge?: true
  /** The values of a map are ranges. */
  readonly ranges?: true
  readonly size?: number
  /** What each new element gets. */
  readonly expressions?: readonly StatefulExpression[]
  readonly elements: readonly Element[]
}

/**
 * A value as `sets.add` takes it: an array of them for a concatenation, bytes when the type of the set is unknown
 * here, `'*'` for all values that no other element has.
 */
export type ElementKey = Single | readonly Single[]
type Single = string | number | Range<string | number> | Uint8Array

export interface Element {
  readonly key: ElementKey
  /** In a map: what the key maps to; the name of an object. */
  readonly value?: ElementKey | Verdict
  readonly timeoutMs?: number
  /** The time that it has left. */
  readonly expiresMs?: number
  readonly comment?: string
  /** Its counter, limit or quota. */
  readonly expressions?: readonly StatefulExpression[]
  readonly userData?: Uint8Array
}

/** A named object, as `objects.add` takes it. */
export type NftObject = Commented & {
  readonly name: string
  readonly handle: bigint
  /** How many rules and elements refer to it. */
  readonly uses: number
} & ObjectKind

export interface Flowtable {
  readonly name: string
  readonly handle: bigint
  readonly priority: number
  readonly devices: readonly string[]
  readonly offload?: true
  readonly counter?: true
  readonly uses: number
}
