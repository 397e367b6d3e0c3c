import type { Request } from '../netlink/index.ts'
import type { Lack } from './missing.ts'

/** An interface by its name or its index. */
export type LinkRef = string | number

/** The indexes of interfaces, known after the kernel was asked. */
export interface Names {
  /** The index of an interface that the operation lists in `refers`. */
  indexOf(link: LinkRef): number
  /** The index for an interface to be created; 0 lets the kernel choose. */
  given(name: string): number
}

/** An interface to be created. */
export interface Created {
  readonly name: string
  readonly index?: number | undefined
}

/** A change, as data: the names that it needs, and its messages once their indexes are known. */
export interface Operation {
  /** Interfaces that the wire refers to by index. */
  readonly refers: readonly LinkRef[]
  /** Interfaces that it creates. One without an index gets one when the batch refers to any of them. */
  readonly creates?: readonly Created[]
  /** Features that a kernel can lack, each with its refusal. */
  readonly lacks?: readonly Lack[]
  /** Called once. */
  requests(names: Names): Request[]
}

/**
 * Takes operations: it sends them to the kernel at once (an exception of `make` is a rejection), or adds them
 * to a batch.
 */
export type Sink<Done> = (make: () => Operation) => Done
