import { addressText } from '../../base/index.ts'
import { take } from '../takes.ts'
import { Type } from '../wire/constants.ts'
import { type Message, type RecordPlace, readMessage } from '../wire/message.ts'
import { classText, rcodeText, typeText } from '../wire/mnemonics.ts'
import { nameText, skipName } from '../wire/name.ts'

/** An answer as values: the output of `--json`. */
export interface LookupResult {
  readonly rcode: string
  readonly truncated: boolean
  readonly records: readonly {
    readonly section: RecordPlace['section']
    readonly name: string
    readonly ttl: number
    readonly class: string
    readonly type: string
    readonly data: string
  }[]
}

/** Undefined for a malformed message. */
export function describeAnswer(bytes: Buffer): LookupResult | undefined {
  take('describe answer', bytes, ['bytes', 'bytes'])
  const message = readMessage(bytes)
  if (!message) return undefined
  return {
    rcode: rcodeText(message.rcode),
    truncated: (bytes[2]! & 2) !== 0,
    records: message.records
      .filter(({ type }) => type !== Type.OPT)
      .map(record => ({
        section: record.section,
        name: nameAt(bytes, record.at) ?? '?',
        ttl: bytes.readUInt32BE(record.ttlAt),
        class: classText(bytes.readUInt16BE(record.ttlAt - 2)),
        type: typeText(record.type),
        data: dataText(message, record),
      })),
  }
}

/** The data as in a zone file. Unknown types are written as RFC 3597 §5 says: `\# 4 0a000001`. */
function dataText({ bytes }: Message, { type, dataAt, end }: RecordPlace): string {
  const data = bytes.subarray(dataAt, end)
  return (
    readers[typeText(type)]?.(bytes, dataAt, end) ?? `\\# ${data.length} ${data.toString('hex')}`.trimEnd()
  )
}

type DataReader = (bytes: Buffer, at: number, end: number) => string | undefined

const address =
  (length: number): DataReader =>
  (bytes, at, end) =>
    end - at === length ? addressText(bytes.subarray(at, end)) : undefined

/** Some 16-bit numbers, then a name. */
const numbersAndName =
  (count: number): DataReader =>
  (bytes, at, end) => {
    if (end - at <= 2 * count) return undefined
    const numbers = Array.from({ length: count }, (_, i) => bytes.readUInt16BE(at + 2 * i))
    const name = nameAt(bytes, at + 2 * count, end)
    return name === undefined ? undefined : [...numbers, name].join(' ')
  }

const readers: Readonly<Record<string, DataReader>> = {
  A: address(4),
  AAAA: address(16),
  NS: numbersAndName(0),
  CNAME: numbersAndName(0),
  DNAME: numbersAndName(0),
  PTR: numbersAndName(0),
  MX: numbersAndName(1),
  SRV: numbersAndName(3),
  TXT: texts,
  SOA: authority,
}

function texts(bytes: Buffer, at: number, end: number): string | undefined {
  const found: string[] = []
  for (let here = at; here < end; ) {
    const stop = here + 1 + bytes[here]!
    if (stop > end) return undefined
    found.push(JSON.stringify(bytes.toString('latin1', here + 1, stop)))
    here = stop
  }
  return found.join(' ')
}

function authority(bytes: Buffer, at: number, end: number): string | undefined {
  const second = skipName(bytes, at, end)
  const numbers = second < 0 ? -1 : skipName(bytes, second, end)
  if (numbers < 0 || numbers + 20 !== end) return undefined
  const values = Array.from({ length: 5 }, (_, i) => bytes.readUInt32BE(numbers + 4 * i))
  return [nameAt(bytes, at), nameAt(bytes, second), ...values].join(' ')
}

/** A name that may be compressed, as text. */
function nameAt(bytes: Buffer, at: number, end = bytes.length): string | undefined {
  if (skipName(bytes, at, end) < 0) return undefined
  const labels: Buffer[] = []
  for (let here = at; bytes[here]; ) {
    const size = bytes[here]!
    if (size >= 0xc0) here = bytes.readUInt16BE(here) & 0x3fff
    else {
      labels.push(bytes.subarray(here, here + size + 1))
      here += size + 1
    }
  }
  return nameText(Buffer.concat([...labels, Buffer.of(0)]))
}
