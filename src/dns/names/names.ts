import { addressBytes, addressText } from '../../base/index.ts'
import { parseRecord } from '../records/record.ts'
import type { Host, OwnEntry, OwnHosts } from '../types.ts'
import type { Answer } from '../wire/answer.ts'
import { Class, Extended, Rcode, Type } from '../wire/constants.ts'
import { type FullRecord, inAnswer, writtenAnswer } from '../wire/full-records.ts'
import { failureAnswer, type OwnRecord, ownAnswer, soaData } from '../wire/local-answer.ts'
import { ancestry, nameBytes, nameKey, nameText } from '../wire/name.ts'
import { type Question, questionOf } from '../wire/question.ts'
import { type Chain, chainFrom } from './chain.ts'
import type { HostsTable } from './hosts-table.ts'
import { reverseName, reverseZone } from './reverse.ts'
import { loopbackAddresses, SpecialNames } from './special.ts'

/** TTL of own names, in seconds: nodes come and go. */
const ttl = 5
/** The most records that one message holds, 16 + 12 bytes each. Others are omitted. */
const mostRecords = 2000
const localhost = '\x09localhost\0'
/** The most answers that are kept for reuse. */
const mostMade = 10_000

/**
 * Names that need no upstream: the cluster's, those of a hosts file, and names to spoof. It is replaced,
 * never changed.
 */
export class Names {
  readonly #records = new Map<string, OwnRecord[]>()
  /** By the key of `*.domain` without the star. */
  readonly #wild = new Map<string, OwnRecord[]>()
  readonly #zones: ReadonlySet<string>
  readonly #ours: readonly RegExp[]
  readonly #special: SpecialNames
  readonly #table: HostsTable | undefined
  readonly #made = new Map<string, Answer>()
  /** Of every name below `localhost` for which there is nothing else. */
  #localhost: readonly OwnRecord[] | undefined
  #nonTerminals: ReadonlySet<string> | undefined
  #hasAliases = false

  /** `zones`: the domains that have servers of their own; `table`: a hosts file. */
  constructor(sources: readonly OwnHosts[], zones: readonly string[] = [], table?: HostsTable) {
    this.#table = table
    this.#zones = new Set(
      sources.flatMap(({ nets = [], domains = [] }) => [
        ...nets.map(reverseZone),
        ...domains.flatMap(keysOf),
      ]),
    )
    this.#ours = sources.flatMap(({ ours }) => (ours ? [ours] : []))
    this.#special = new SpecialNames(zones)
    for (const { hosts } of sources) for (const host of hosts) this.#add(host)
    for (const { records = [] } of sources) for (const entry of records) this.#addEntry(entry)
    this.#addLocalhost()
  }

  /** The answer to a question, by its cache key. Undefined when the name is not an own one. */
  find(key: string): Answer | undefined {
    const made = this.#made.get(key)
    if (made) return made
    const answer = this.#make(key)
    if (answer && this.#made.size < mostMade) this.#made.set(key, answer)
    return answer
  }

  /** True for names of which no other source counts. */
  owns(key: string): boolean {
    return this.find(key) !== undefined || this.alias(key) !== undefined
  }

  /** The CNAME records of a name that lead to one that is not an own one. */
  alias(key: string): Chain | undefined {
    if (!this.#hasAliases) return undefined
    const { name, type, isIn } = partsOf(key)
    if (!isIn || type === Type.CNAME || type === Type.ANY) return undefined
    const chain = this.#chainFrom(name)
    const isOurs = chain.loops || this.#recordsOf(chain.end) || this.#isOurs(chain.end)
    return chain.links.length > 0 && !isOurs ? chain : undefined
  }

  #make(key: string): Answer | undefined {
    const { name, type, isIn } = partsOf(key)
    const records = this.#recordsOf(name)
    if (!records && !this.#isOurs(name)) return undefined
    const question = questionOf(key)
    if (!isIn) return undefined
    if (this.#hasAliases && type !== Type.CNAME && type !== Type.ANY) {
      const chain = this.#chainFrom(name)
      if (chain.links.length > 0) return this.#followed(question, type, chain)
    }
    if (!records && !this.#isNonTerminal(name))
      return ownAnswer(question, { rcode: Rcode.NXDOMAIN, records: [], ttl })
    const fitting = (records ?? []).filter(record => record.type === type || type === Type.ANY)
    return ownAnswer(question, { rcode: Rcode.NOERROR, records: fitting.slice(0, mostRecords), ttl })
  }

  #chainFrom(name: string): Chain {
    return chainFrom(name, each => this.#recordsOf(each), ttl)
  }

  /** The answer of the name at the end of a chain, whose Rcode counts (RFC 6604 §3). Undefined when it leads outside. */
  #followed(question: Question, type: number, { links, end, loops }: Chain): Answer | undefined {
    if (loops) return failureAnswer(question, Rcode.SERVFAIL, Extended.other)
    const found = this.#recordsOf(end)
    if (!found && !this.#isOurs(end)) return undefined
    const name = Buffer.from(end, 'latin1')
    const fitting = (found ?? []).filter(record => record.type === type)
    const records: FullRecord[] = fitting
      .slice(0, mostRecords)
      .map(record => inAnswer(name, { ...record, ttl: record.ttl ?? ttl }))
    if (records.length === 0)
      records.push({
        ...inAnswer(name, { type: Type.SOA, ttl, data: soaData(name, ttl) }),
        section: 'authority',
      })
    const rcode = found || this.#isNonTerminal(end) ? Rcode.NOERROR : Rcode.NXDOMAIN
    return writtenAnswer(question, { rcode, records: [...links, ...records], authoritative: true })
  }

  #recordsOf(name: string): readonly OwnRecord[] | undefined {
    const exact = this.#exactly(name)
    if (exact) return exact
    if (this.#wild.size + (this.#table?.wild.size ?? 0) > 0)
      for (const ancestor of ancestry(name)) {
        if (ancestor === name) continue
        const found = [...(this.#wild.get(ancestor) ?? []), ...(this.#table?.wild.get(ancestor) ?? [])]
        if (found.length > 0) return found
      }
    return this.#localhost && name.endsWith(localhost) ? this.#localhost : undefined
  }

  /** Records of both sources. The first name of an address is the only one. */
  #exactly(name: string): readonly OwnRecord[] | undefined {
    const own = this.#records.get(name)
    const others = this.#table?.records(name)
    if (!own || !others) return own ?? others
    const all = new Map([[name, [...own]]])
    const pointed = own.some(({ type }) => type === Type.PTR)
    for (const record of others) if (!pointed || record.type !== Type.PTR) put(all, name, record)
    return all.get(name)
  }

  #isOurs(name: string): boolean {
    if (this.#isInZone(name)) return true
    if (this.#special.has(name)) return true
    if (this.#ours.length === 0) return false
    const text = nameText(Buffer.from(name, 'latin1')).slice(0, -1)
    return this.#ours.some(pattern => pattern.test(text))
  }

  /** A zone with servers of its own is none of ours, wherever it begins. */
  #isInZone(name: string): boolean {
    if (this.#zones.size === 0) return false
    for (const ancestor of ancestry(name)) {
      if (this.#special.isGiven(ancestor)) return false
      if (this.#zones.has(ancestor)) return true
    }
    return false
  }

  /** True for a name that has no records, and has names below it or is a zone: it exists (RFC 8020 §2). */
  #isNonTerminal(name: string): boolean {
    if (this.#zones.has(name) || this.#special.isZone(name)) return true
    this.#nonTerminals ??= this.#findNonTerminals()
    return this.#nonTerminals.has(name) || this.#table?.hasBelow(name) === true
  }

  #findNonTerminals(): Set<string> {
    const found = new Set<string>()
    for (const key of this.#records.keys())
      for (const ancestor of ancestry(key)) {
        if (ancestor === key) continue
        if (found.has(ancestor) || !this.#isOurs(ancestor)) break
        found.add(ancestor)
      }
    return found
  }

  /** A name or address that another source has keeps what that says. */
  #addLocalhost(): void {
    const bytes = nameBytes('localhost')!
    const key = nameKey(bytes)
    for (const address of loopbackAddresses)
      this.#addLoopback(nameKey(nameBytes(reverseName(address))!), bytes)
    if (!this.#special.has(key)) return
    const records = loopbackAddresses.map(recordOf)
    if (!this.#exactly(key)) this.#records.set(key, records)
    this.#localhost = records
  }

  #addLoopback(key: string, data: Uint8Array): void {
    if (this.#special.has(key) && !this.#exactly(key)) put(this.#records, key, { type: Type.PTR, data })
  }

  #add({ name, addresses }: Host): void {
    const wild = name.startsWith('*.')
    const bytes = nameBytes(wild ? name.slice(2) : name)
    if (!bytes) return
    const records = wild ? this.#wild : this.#records
    for (const address of addresses) {
      put(records, nameKey(bytes), recordOf(address))
      if (!wild) this.#addReverse(address, bytes)
    }
  }

  #addEntry(entry: OwnEntry): void {
    if (entry.askers) return
    const { wild, name, type, data, ttl: own } = parseRecord(entry)
    if (type === Type.CNAME) this.#hasAliases = true
    put(wild ? this.#wild : this.#records, nameKey(name), { type, data, ttl: own })
    const isAddress = type === Type.A || type === Type.AAAA
    if (isAddress && !wild) this.#addReverse(addressText(data), name)
  }

  /** The first name of an address is its canonical name, as in hosts(5). */
  #addReverse(address: string, data: Uint8Array): void {
    const key = nameKey(nameBytes(reverseName(address))!)
    if (!this.#records.has(key)) put(this.#records, key, { type: Type.PTR, data })
  }
}

/** The name is followed by type and class, of two bytes each, and flags. */
function partsOf(key: string): { name: string; type: number; isIn: boolean } {
  const at = key.length - 5
  const u16 = (from: number) => (key.charCodeAt(from) << 8) | key.charCodeAt(from + 1)
  return { name: key.slice(0, at), type: u16(at), isIn: u16(at + 2) === Class.IN }
}

function keysOf(domain: string): string[] {
  const name = nameBytes(domain)
  return name ? [nameKey(name)] : []
}

function recordOf(address: string): OwnRecord {
  const data = addressBytes(address)
  return { type: data.length === 4 ? Type.A : Type.AAAA, data }
}

function put(records: Map<string, OwnRecord[]>, key: string, record: OwnRecord): void {
  const there = records.get(key)
  if (!there) records.set(key, [record])
  else if (!there.some(({ type, data }) => type === record.type && Buffer.compare(data, record.data) === 0))
    there.push(record)
}
