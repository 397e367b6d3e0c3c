import { Type } from '../wire/constants.ts'
import type { Message, RecordPlace } from '../wire/message.ts'
import { skipName } from '../wire/name.ts'
import { matcher, unmapped } from '../wire/prefixes.ts'

/** Networks that do not exist on the internet, or only locally (RFC 6890, RFC 8215). */
const privateNets = [
  ...['0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12'],
  ...['192.168.0.0/16', '::/127', 'fc00::/7', 'fe80::/10', '64:ff9b:1::/48'],
].map(matcher)

/**
 * IPv6 networks whose addresses hold an IPv4 address, and its place: NAT64's (RFC 6052 §2.1), that of SIIT
 * (RFC 2765 §2.1), that of compatible addresses (RFC 4291 §2.5.5.1), and 6to4's (RFC 3056 §2).
 */
const holders = [
  { holds: matcher('64:ff9b::/96'), at: 12 },
  { holds: matcher('::ffff:0:0:0/96'), at: 12 },
  { holds: matcher('::/96'), at: 12 },
  { holds: matcher('2002::/16'), at: 2 },
]

/** The keys of addresses in HTTPS and SVCB records (RFC 9460 §7.3). */
const hints: ReadonlyMap<number, number> = new Map([
  [4, 4],
  [6, 16],
])

/** True when an answer has a private address: a web page could use it to reach into a network. */
export function namesPrivateAddress({ records, bytes }: Message): boolean {
  return records.some(record => record.section !== 'authority' && addressesIn(record, bytes).some(isPrivate))
}

/** True for a private address, or one that holds a private address. */
export function isPrivate(address: Uint8Array): boolean {
  const plain = unmapped(address)
  if (privateNets.some(matches => matches(plain))) return true
  const holder = holders.find(({ holds }) => holds(plain))
  return holder !== undefined && isPrivate(plain.subarray(holder.at, holder.at + 4))
}

function addressesIn({ type, dataAt, end }: RecordPlace, bytes: Buffer): Uint8Array[] {
  if (type === Type.A || type === Type.AAAA) return [bytes.subarray(dataAt, end)]
  if (type !== Type.SVCB && type !== Type.HTTPS) return []
  const found: Uint8Array[] = []
  // Priority, target, and parameters with key and length (RFC 9460 §2.2).
  let at = dataAt + 2 <= end ? skipName(bytes, dataAt + 2, end) : -1
  while (at >= 0 && at + 4 <= end) {
    const size = hints.get(bytes.readUInt16BE(at))
    const stop = Math.min(at + 4 + bytes.readUInt16BE(at + 2), end)
    if (size !== undefined)
      for (let here = at + 4; here + size <= stop; here += size) found.push(bytes.subarray(here, here + size))
    at = stop
  }
  return found
}
