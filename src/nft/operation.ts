import { type Doing, type Request, request } from '../netlink/index.ts'
import { type Family, families } from './names.ts'
import { batchMessage, NFNL_MSG_BATCH_BEGIN, NFNL_MSG_BATCH_END, NFNL_SUBSYS_NFTABLES } from './wire/index.ts'

/** Makes the messages of one change. `nextId` numbers the new sets of a transaction. */
export type Make = (nextId: () => number) => readonly Request[]

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
