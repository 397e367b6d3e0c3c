import type { DnsFault } from '../../api/index.ts'
import { nodeName } from '../../base/index.ts'
import type { Dns, FaultStatus } from '../../dns/index.ts'
import type { Fabric } from '../../net/index.ts'
import type { ClusterPlan } from '../../plan/index.ts'
import { ClusterError } from '../errors.ts'
import { addressesOf, forwarderOf } from './askers.ts'

/** A rule by which answers fail, for tests. */
export interface NewDnsFault {
  /** `www.lab.test`; `*.lab.test` for every name below; `*` for all. */
  readonly name: string
  readonly fault: DnsFault['fault']
  /** Only queries of this type: `AAAA`. */
  readonly type?: string | undefined
  /** Only queries of these nodes. */
  readonly nodes?: readonly number[] | undefined
  /** The share of matching queries that fail, above 0 and up to 1. Default: 1. */
  readonly probability?: number | undefined
  /** The same seed chooses the same queries. Default: a random one. */
  readonly seed?: number | undefined
  /** For `delay`: the time before the answer, in milliseconds, up to 60,000. */
  readonly delayMs?: number | undefined
  /** How many queries fail. Default: all. */
  readonly times?: number | undefined
}

export interface ClusterFaultsOptions {
  readonly dns: Dns | undefined
  readonly plan: () => ClusterPlan
  readonly fabric: Pick<Fabric, 'kind'>
}

/** The answers of a cluster's forwarder that fail. All of these throw DNS_OFF. */
export class ClusterFaults {
  readonly #options: ClusterFaultsOptions
  /** The nodes of each rule, which the forwarder knows by their addresses. */
  readonly #nodes = new Map<number, readonly string[]>()

  constructor(options: ClusterFaultsOptions) {
    this.#options = options
  }

  list(): DnsFault[] {
    return this.#faults.list().map(status => this.#shown(status))
  }

  /** Adds a rule behind the others. Throws BAD_FAULT, and ASKER_UNKNOWN for nodes in user space. */
  add({ nodes, ...fault }: NewDnsFault): DnsFault {
    const { plan, fabric } = this.#options
    const askers = nodes && addressesOf(nodes, plan(), fabric)
    const given = Object.entries({ ...fault, askers }).filter(([, value]) => value !== undefined)
    const status = this.#faults.add(
      Object.fromEntries(given) as unknown as Parameters<Dns['faults']['add']>[0],
    )
    if (nodes) this.#nodes.set(status.id, [...new Set(nodes)].map(nodeName))
    return this.#shown(status)
  }

  /** Removes one rule, or all, and returns those removed. Throws FAULT_MISSING. */
  clear(id?: number): DnsFault[] {
    const gone = this.#faults.clear(id)
    if (id !== undefined && gone.length === 0) throw missing(id)
    const shown = gone.map(status => this.#shown(status))
    for (const status of gone) this.#nodes.delete(status.id)
    return shown
  }

  get #faults(): Dns['faults'] {
    return forwarderOf(this.#options.dns).faults
  }

  #shown({ askers: _, ...status }: FaultStatus): DnsFault {
    const nodes = this.#nodes.get(status.id)
    return { ...status, ...(nodes && { nodes }) }
  }
}

function missing(id: number): ClusterError {
  const reason = 'there is no fault of that number'
  const remedy = 'The list of faults has their numbers'
  const target = String(id)
  return new ClusterError({
    code: 'FAULT_MISSING',
    kind: 'missing',
    op: 'clear DNS fault',
    target,
    reason,
    remedy,
  })
}
