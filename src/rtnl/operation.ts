import type { Request } from '../netlink/index.ts'
import type { Lack } from './missing.ts'

/** An interface by its name or its index. */
export type LinkRef = string | number

/** The indexes that are known once the kernel was asked. */
export interface Names {
  /** Of an interface that the operation named in `refers`. */
  indexOf(link: LinkRef): number
  /** For an interface that is to be created; 0: the kernel shall choose. */
  given(name: string): number
}

/** An interface that is to be. */
export interface Created {
  readonly name: string
  readonly index?: number | undefined
}

/** Something to be done, as data: which names it needs, and the messages once they are known. */
export interface Operation {
  /** Interfaces that the wire wants by index. */
  readonly refers: readonly LinkRef[]
  /** Interfaces it creates; without an index they are given one when others in the batch refer to one of them. */
  readonly creates?: readonly Created[]
  /** What a kernel may have been built without, and how its refusal then looks. */
  readonly lacks?: readonly Lack[]
  /** Called once. */
  requests(names: Names): Request[]
}

/** Where operations go: straight to the kernel (what `make` throws is then a rejection), or into a batch. */
export type Sink<Done> = (make: () => Operation) => Done
