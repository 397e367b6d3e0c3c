import { addressText } from '../../base/index.ts'
import { reverseName } from '../names/reverse.ts'
import { isPrivate } from '../upstream/rebind.ts'
import { Rcode, Type } from '../wire/constants.ts'
import { type FullRecord, fullRecords, inAnswer, writtenAnswer } from '../wire/full-records.ts'
import { readMessage } from '../wire/message.ts'
import { nameBytes } from '../wire/name.ts'
import { matcher, type NetMatcher } from '../wire/prefixes.ts'
import { keyFlag } from '../wire/query.ts'
import type { Question } from '../wire/question.ts'
import type { Given } from './given.ts'
import { Nat64Prefix, wellKnownPrefix } from './nat64-prefix.ts'

export interface Dns64Options {
  /** Where the NAT64 of the network has IPv4 addresses: of length 32, 40, 48, 56, 64 or 96. Default: `64:ff9b::/96`. */
  readonly prefix?: string
  /** IPv6 networks whose addresses count as missing. Default: `::ffff:0:0/96` (RFC 6147 §5.1.4). */
  readonly exclude?: readonly string[]
}

/** Gets an answer by its key. */
export type Get = (key: string) => Promise<Given>

/** `ip6.arpa` as the end of a key; before it are 32 labels of one digit each (RFC 3596 §2.5). */
const reverseEnd = '\x03ip6\x04arpa\0'
/** Where the SOA of "no such data" is missing (RFC 6147 §5.1.7). */
const usualTtl = 600

/** Makes IPv6 addresses of IPv4 ones, for clients behind a NAT64 (RFC 6147). It does not validate. */
export class Dns64 {
  readonly #prefix: Nat64Prefix
  readonly #excluded: readonly NetMatcher[]

  constructor({ prefix = wellKnownPrefix, exclude = ['::ffff:0:0/96'] }: Dns64Options) {
    this.#prefix = new Nat64Prefix(prefix)
    this.#excluded = exclude.map(matcher)
  }

  /** True for a question that it may answer: AAAA, and PTR below its prefix. */
  concerns(name: string, type: number): boolean {
    return type === Type.AAAA || (type === Type.PTR && this.#mappedName(name) !== undefined)
  }

  /** The answer to such a question. */
  answer(question: Question, get: Get): Promise<Given> {
    const type = question.bytes.readUInt16BE(question.bytes.length - 4)
    return type === Type.PTR ? this.#reverse(question, get) : this.#addresses(question, get)
  }

  async #addresses(question: Question, get: Get): Promise<Given> {
    const direct = await get(question.key)
    // Such a client validates by itself, and makes the addresses by itself (RFC 6147 §5.5).
    if (question.flags & keyFlag.DO && question.flags & keyFlag.CD) return direct
    const { rcode } = direct.answer
    const found = recordsOf(direct)
    if (!found || rcode === Rcode.NXDOMAIN) return direct
    const kept = found.filter(record => !this.#isExcluded(record))
    if (rcode === Rcode.NOERROR && kept.some(isOf(Type.AAAA))) {
      if (kept.length === found.length) return direct
      return { ...direct, age: 0, answer: writtenAnswer(question, { rcode, records: kept }) }
    }
    return (await this.#synthesized(question, found, get)) ?? direct
  }

  async #synthesized(
    question: Question,
    missing: readonly FullRecord[],
    get: Get,
  ): Promise<Given | undefined> {
    const ipv4 = await get(withType(question.key, Type.A))
    if (ipv4.answer.rcode !== Rcode.NOERROR) return undefined
    const limit = missing.find(isOf(Type.SOA))?.ttl ?? usualTtl
    const records = (recordsOf(ipv4) ?? [])
      .filter(({ section, type }) => section === 'answer' && type !== Type.RRSIG)
      .flatMap(record => (record.type === Type.A ? this.#mapped(record, limit) : [record]))
    if (!records.some(isOf(Type.AAAA))) return undefined
    return { ...ipv4, age: 0, answer: writtenAnswer(question, { rcode: Rcode.NOERROR, records }) }
  }

  /** The well-known prefix is not for private addresses (RFC 6052 §3.1): no NAT64 of another could reach them. */
  #mapped(record: FullRecord, limit: number): FullRecord[] {
    if (record.data.length !== 4 || (this.#prefix.isWellKnown && isPrivate(record.data))) return []
    const data = this.#prefix.embed(record.data)
    return [{ ...record, type: Type.AAAA, ttl: Math.min(record.ttl, limit), data }]
  }

  /** An alias of the IPv4 address's reverse name, and what that has (RFC 6147 §5.3.1). */
  async #reverse(question: Question, get: Get): Promise<Given> {
    const name = question.bytes.subarray(0, -4)
    const target = this.#mappedName(name.toString('latin1'))!
    const key = `${Buffer.from(target).toString('latin1')}${question.key.slice(-5)}`
    const given = await get(key)
    const alias = inAnswer(name, { type: Type.CNAME, ttl: usualTtl, data: target })
    const { rcode, extended } = given.answer
    const records = [alias, ...(recordsOf(given) ?? [])]
    return { ...given, age: 0, answer: writtenAnswer(question, { rcode, records, extended }) }
  }

  /** `1.2.0.192.in-addr.arpa` for the reverse name of an address with 192.0.2.1 in the prefix. */
  #mappedName(name: string): Uint8Array | undefined {
    if (!name.endsWith(reverseEnd) || name.length !== 64 + reverseEnd.length) return undefined
    const labels = Array.from({ length: 32 }, (_, i) => name.slice(2 * i, 2 * i + 2)).reverse()
    const digits = labels.map(label => (label.charCodeAt(0) === 1 ? label[1]! : '-')).join('')
    if (!/^[0-9a-f]{32}$/.test(digits)) return undefined
    const ipv4 = this.#prefix.extract(Buffer.from(digits, 'hex'))
    return ipv4 && nameBytes(reverseName(addressText(ipv4)))
  }

  #isExcluded({ type, data }: FullRecord): boolean {
    return type === Type.AAAA && this.#excluded.some(matches => matches(data))
  }
}

const isOf = (type: number) => (record: FullRecord) => record.type === type

function recordsOf({ answer, age }: Given): FullRecord[] | undefined {
  const message = readMessage(answer.wire)
  return message && fullRecords(message, age)
}

/** The key of the same question for another type. */
function withType(key: string, type: number): string {
  return `${key.slice(0, -5)}${String.fromCharCode(type >> 8, type & 0xff)}${key.slice(-3)}`
}
