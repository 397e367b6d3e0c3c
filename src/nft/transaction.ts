import { datagramOf, NLM_F_ACK, type Request } from '../netlink/index.ts'
import { ChainChanges } from './chains.ts'
import { framed, type Make } from './operation.ts'
import { RuleChanges } from './rule/rules.ts'
import { SetChanges } from './set/sets.ts'
import { TableChanges } from './tables.ts'

/** The contents of a transaction. Its calls only record changes. */
export interface Transaction {
  readonly tables: TableChanges
  readonly chains: ChainChanges
  readonly rules: RuleChanges
  readonly sets: SetChanges
}

/** The messages of a transaction, in order. Pure. */
export function requestsOf(build: (transaction: Transaction) => void): Request[] {
  const requests: Request[] = []
  let ids = 0
  const sink = (make: Make) => void requests.push(...make(() => ++ids))
  build({
    tables: new TableChanges(sink),
    chains: new ChainChanges(sink),
    rules: new RuleChanges(sink),
    sets: new SetChanges(sink),
  })
  return requests
}

/**
 * A transaction as one datagram, for the kernel of another machine. The last change requests an
 * acknowledgement, which comes after the whole is decided. Pure.
 */
export function transactionBytes(build: (transaction: Transaction) => void): Uint8Array {
  const requests = requestsOf(build)
  return datagramOf(framed(acknowledged(requests), { op: 'nft transaction' }))
}

/** Requests an answer to the last change. It comes when the whole is applied or rolled back. */
export function acknowledged(requests: readonly Request[]): Request[] {
  const last = requests.length - 1
  return requests.map((request, at) =>
    at === last ? { ...request, flags: (request.flags ?? 0) | NLM_F_ACK } : request,
  )
}
