import { addressBytes } from '../../base/index.ts'
import type { Host, OwnHosts } from '../types.ts'
import type { Answer } from '../wire/answer.ts'
import { Class, Rcode, Type } from '../wire/constants.ts'
import { type OwnRecord, ownAnswer } from '../wire/local-answer.ts'
import { ancestry, nameBytes, nameKey, nameText } from '../wire/name.ts'
import { questionOf } from '../wire/question.ts'
import { reverseName, reverseZone } from './reverse.ts'

/** TTL of own names, in seconds: nodes come and go. */
const ttl = 5
/** The most records that one message holds, 16 + 12 bytes each. Others are omitted. */
const mostRecords = 2000
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
  readonly #zones: readonly string[]
  readonly #ours: readonly RegExp[]
  readonly #made = new Map<string, Answer>()

  constructor(sources: readonly OwnHosts[]) {
    this.#zones = sources.flatMap(({ nets = [] }) => nets.map(reverseZone))
    this.#ours = sources.flatMap(({ ours }) => (ours ? [ours] : []))
    for (const { hosts } of sources) for (const host of hosts) this.#add(host)
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
    return this.find(key) !== undefined
  }

  #make(key: string): Answer | undefined {
    // The name is followed by type and class, of two bytes each, and flags.
    const name = key.slice(0, -5)
    const records = this.#recordsOf(name)
    if (!records && !this.#isOurs(name)) return undefined
    const question = questionOf(key)
    const type = question.bytes.readUInt16BE(name.length)
    if (question.bytes.readUInt16BE(name.length + 2) !== Class.IN) return undefined
    if (!records) return ownAnswer(question, { rcode: Rcode.NXDOMAIN, records: [], ttl })
    const fitting = records.filter(record => record.type === type || type === Type.ANY)
    return ownAnswer(question, { rcode: Rcode.NOERROR, records: fitting.slice(0, mostRecords), ttl })
  }

  #recordsOf(name: string): readonly OwnRecord[] | undefined {
    const exact = this.#records.get(name)
    if (exact || this.#wild.size === 0) return exact
    for (const ancestor of ancestry(name)) {
      const wild = ancestor === name ? undefined : this.#wild.get(ancestor)
      if (wild) return wild
    }
    return undefined
  }

  #isOurs(name: string): boolean {
    if (this.#zones.some(zone => name.endsWith(zone))) return true
    if (this.#ours.length === 0) return false
    const text = nameText(Buffer.from(name, 'latin1')).slice(0, -1)
    return this.#ours.some(pattern => pattern.test(text))
  }

  #add({ name, addresses }: Host): void {
    const wild = name.startsWith('*.')
    const bytes = nameBytes(wild ? name.slice(2) : name)
    if (!bytes) return
    const records = wild ? this.#wild : this.#records
    for (const address of addresses) {
      const data = addressBytes(address)
      put(records, nameKey(bytes), { type: data.length === 4 ? Type.A : Type.AAAA, data })
      if (!wild) this.#addReverse(address, bytes)
    }
  }

  /** The first name of an address is its canonical name, as in hosts(5). */
  #addReverse(address: string, data: Uint8Array): void {
    const key = nameKey(nameBytes(reverseName(address))!)
    if (!this.#records.has(key)) put(this.#records, key, { type: Type.PTR, data })
  }
}

function put(records: Map<string, OwnRecord[]>, key: string, record: OwnRecord): void {
  const there = records.get(key)
  if (!there) records.set(key, [record])
  else if (!there.some(({ type, data }) => type === record.type && Buffer.compare(data, record.data) === 0))
    there.push(record)
}
