import { type Doing, type Request, request } from '../netlink/index.ts'
import { type Family, families } from './names.ts'
import type { SetShape } from './set/shape.ts'
import type { NamedSet } from './set/spec.ts'
import { batchMessage, NFNL_MSG_BATCH_BEGIN, NFNL_MSG_BATCH_END, NFNL_SUBSYS_NFTABLES } from './wire/index.ts'

/** What a change knows of its transaction. */
export interface Building {
  /** Numbers new sets. */
  nextId(): number
  /** Records a set that the transaction makes. */
  define(ref: NamedSet, shape: SetShape): void
  /** A set that the transaction made before, or that was there; undefined when it is unknown. */
  find(ref: NamedSet): SetShape | undefined
}

/** Makes the messages of one change. */
export type Make = (building: Building) => readonly Request[]

export interface RemoveOptions {
  /** Does nothing, instead of failing, where there is nothing to remove. `nft destroy …` (Linux 6.3) */
  readonly ifExists?: boolean
}

/** Records a change. */
export type Sink = (make: Make) => void

/** The value of a message: the family of its table, and attributes. */
export function inFamily<A>(family: Family, attributes: A): { family: number; attributes: A } {
  return { family: families[family], attributes }
}

/** Frames messages as one transaction. Without the frame's end the kernel acks everything and applies nothing. */
export function framed(requests: readonly Request[], { op, target }: Doing): Request[] {
  const about = { op, ...(target !== undefined && { target }) }
  const edge = (type: number) => request(batchMessage, { resource: NFNL_SUBSYS_NFTABLES }, { ...about, type })
  return [edge(NFNL_MSG_BATCH_BEGIN), ...requests, edge(NFNL_MSG_BATCH_END)]
}
