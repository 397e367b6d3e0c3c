import type { OwnName } from '../../api/index.ts'
import { nodeName } from '../../base/index.ts'
import type { Dns } from '../../dns/index.ts'
import type { Fabric } from '../../net/index.ts'
import type { ClusterPlan, OwnRecord, Settings } from '../../plan/index.ts'
import { ClusterError } from '../errors.ts'
import { addressesOf, forwarderOf } from './askers.ts'
import { ownNames, usualTtl } from './names.ts'

/** A record to add at run time. */
export interface NewName {
  /** `www.lab.test`, `*.lab.test` for every name below, or an address for its reverse name. */
  readonly name: string
  readonly type: string
  /** As in a zone file: `0 5 80 www.lab.test`. */
  readonly data: string
  /** In seconds. Default: 5. */
  readonly ttl?: number | undefined
  /** The nodes that it is for, which then see nothing else of that name. Default: all askers. */
  readonly nodes?: readonly number[] | undefined
}

export interface ClusterNamesOptions {
  readonly dns: Dns | undefined
  readonly settings: Settings
  readonly fabric: Pick<Fabric, 'kind'>
}

type Kept = OwnRecord & { readonly source: 'settings' | 'added' }

/** Each change writes all names anew. */
const mostAdded = 10_000

/** The names that a cluster's forwarder answers: the nodes', those of the settings, and those added at run time. */
export class ClusterNames {
  readonly #options: ClusterNamesOptions
  #plan: ClusterPlan
  #records: readonly Kept[]

  constructor(plan: ClusterPlan, options: ClusterNamesOptions) {
    this.#plan = plan
    this.#options = options
    this.#records = options.settings.dnsRecord.map(record => ({ ...record, source: 'settings' as const }))
  }

  /** The cluster's domain; empty for none. */
  get domain(): string {
    return this.#options.settings.domain
  }

  /** Gives the forwarder the names of this plan's nodes. */
  follow(plan: ClusterPlan): void {
    this.#plan = plan
    this.#tell(this.#records)
  }

  /** All of them, nodes' first. Throws DNS_OFF. */
  list(): OwnName[] {
    forwarderOf(this.#options.dns)
    const { settings } = this.#options
    const { hosts } = ownNames(this.#plan, { ...settings, dnsRecord: [] })
    const spoofed = settings.dnsSpoof.length
    const addresses = hosts.flatMap(({ name, addresses }, i) =>
      addresses.map(data => ({
        ...{ name, type: data.includes(':') ? 'AAAA' : 'A', data, ttl: usualTtl },
        source: i < hosts.length - spoofed ? ('node' as const) : ('settings' as const),
      })),
    )
    return [...addresses, ...this.#records.map(shown)]
  }

  /**
   * Adds a record, or gives it another TTL. Throws BAD_RECORD, NAME_CONFLICT (an alias stands alone), ASKER_UNKNOWN
   * (nodes in user space) and DNS_OFF.
   */
  add({ name, type, data, ttl, nodes }: NewName): OwnName {
    forwarderOf(this.#options.dns)
    const record: OwnRecord = {
      ...{ name: canonical(name), type: type.toUpperCase(), data },
      ...(ttl !== undefined && { ttl }),
      ...(nodes && { nodes: [...new Set(nodes)].map(nodeName) }),
    }
    if (nodes) addressesOf(nodes, this.#plan, this.#options.fabric)
    const others = this.#records.filter(other => !isSame(other, record))
    if (others.length >= mostAdded) throw conflict(record, `there are ${mostAdded} records already`)
    this.#checkAlias(record, others)
    const added = { ...record, source: 'added' as const }
    this.#tell([...others, added])
    return shown(added)
  }

  /** Removes the records of a name that are not nodes', of one type or all. Throws NAME_MISSING and DNS_OFF. */
  remove(name: string, type?: string): OwnName[] {
    forwarderOf(this.#options.dns)
    const isWanted = (record: OwnRecord) =>
      record.name === canonical(name) && (type === undefined || record.type === type.toUpperCase())
    const gone = this.#records.filter(isWanted)
    if (gone.length === 0) throw missing(name, type)
    this.#tell(this.#records.filter(record => !isWanted(record)))
    return gone.map(shown)
  }

  /** Nothing changes when the forwarder refuses a record. */
  #tell(records: readonly Kept[]): void {
    const { dns, settings, fabric } = this.#options
    dns?.setHosts(ownNames(this.#plan, { ...settings, dnsRecord: records }, fabric))
    this.#records = records
  }

  #checkAlias(record: OwnRecord, others: readonly OwnRecord[]): void {
    const same = others.filter(({ name, nodes }) => name === record.name && `${nodes}` === `${record.nodes}`)
    const other = record.type === 'CNAME' ? same[0] : same.find(({ type }) => type === 'CNAME')
    if (other) throw conflict(record, `it has a record of type ${other.type}, and an alias stands alone`)
    const isNode = record.type === 'CNAME' && !record.nodes && this.#isNode(record.name)
    if (isNode) throw conflict(record, 'it is the name of a node, and an alias stands alone')
  }

  #isNode(name: string): boolean {
    return this.list().some(other => other.source === 'node' && other.name === name)
  }
}

/** Letter case and a final dot do not matter. */
function canonical(name: string): string {
  return name.toLowerCase().replace(/(?<=[^.])\.$/, '')
}

function isSame(one: OwnRecord, other: OwnRecord): boolean {
  const text = ({ name, type, data, nodes }: OwnRecord) => JSON.stringify([name, type, data, nodes])
  return text(one) === text(other)
}

function shown({ ttl = usualTtl, ...record }: Kept): OwnName {
  return { ...record, ttl }
}

function conflict({ name, type }: OwnRecord, reason: string): ClusterError {
  const remedy = 'The list of names shows what is there: remove that first'
  const target = `${name} ${type}`
  return new ClusterError({ code: 'NAME_CONFLICT', kind: 'usage', op: 'add record', target, reason, remedy })
}

function missing(name: string, type: string | undefined): ClusterError {
  const target = type === undefined ? name : `${name} ${type}`
  const reason = 'no such record is in the settings or was added; names of nodes come and go with the nodes'
  const remedy = 'The list of names shows what is there'
  return new ClusterError({
    code: 'NAME_MISSING',
    kind: 'missing',
    op: 'remove record',
    target,
    reason,
    remedy,
  })
}
