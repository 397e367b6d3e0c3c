import { isAddress } from '../../base/index.ts'
import { DnsError } from '../errors.ts'
import { reverseName } from '../names/reverse.ts'
import { isNet } from '../tailor/pattern.ts'
import type { OwnEntry } from '../types.ts'
import { Type } from '../wire/constants.ts'
import { typeNumber } from '../wire/mnemonics.ts'
import { nameBytes } from '../wire/name.ts'
import { anyData, dataForms } from './data.ts'

/** A record of one's own, ready to be given. */
export interface ParsedRecord {
  /** True for `*.domain`: `name` is then the domain. */
  readonly wild: boolean
  readonly name: Uint8Array
  readonly type: number
  readonly data: Uint8Array
  readonly ttl: number | undefined
}

const longestTtl = 0x7fffffff
/** What an answer has room for beside its header, question and OPT. */
const mostData = 60_000

/** Reads a record. Throws BAD_RECORD (usage), which names the part that is wrong. */
export function parseRecord(entry: OwnEntry): ParsedRecord {
  const { name, type, data, ttl } = entry
  const wild = name.startsWith('*.')
  const text = wild ? name.slice(2) : isAddress(name) ? reverseName(name) : name
  const wire = /^[!-~]+$/.test(text) && !text.includes('*') ? nameBytes(text) : undefined
  if (!wire || wire.length === 1)
    throw badRecord(
      entry,
      `'${name}' is not a valid name`,
      'Example: www.lab.test, *.lab.test, or an address',
    )
  const number = typeNumber(type)
  if (number === undefined || isMeta(number))
    throw badRecord(
      entry,
      `'${type}' is not a type of records`,
      `Types: ${Object.keys(dataForms).join(', ')}`,
    )
  if (ttl !== undefined && !(Number.isInteger(ttl) && ttl >= 0 && ttl <= longestTtl))
    throw badRecord(entry, `'${ttl}' is not a TTL in seconds`, `Give a whole number up to ${longestTtl}`)
  const wrong = entry.askers?.find(asker => !isNet(asker))
  if (wrong !== undefined)
    throw badRecord(entry, `'${wrong}' is not an address or network`, 'Example: 192.168.0.1, 192.168.2.0/24')
  const form = dataForms[type.toUpperCase()]
  const bytes = anyData(data) ?? form?.read(data)
  if (!bytes || bytes.length > mostData)
    throw badRecord(entry, `'${data}' is not valid data`, `Example: ${form?.example ?? '\\# 4 0a000001'}`)
  return { wild, name: wire, type: number, data: bytes, ttl }
}

/** Types of queries and of messages, which no name has: OPT, and 128 to 255 (RFC 6895 §3.1). SOA: zones are others' work. */
function isMeta(type: number): boolean {
  return type === 0 || type === Type.OPT || type === Type.SOA || (type >= 128 && type <= 255)
}

function badRecord({ name, type, data }: OwnEntry, reason: string, remedy: string): DnsError {
  const target = [name, type, data].join(' ')
  return new DnsError({ code: 'BAD_RECORD', kind: 'usage', op: 'answer with', target, reason, remedy })
}
