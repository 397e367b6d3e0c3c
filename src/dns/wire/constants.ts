/** Record types that the forwarder interprets (RFC 1035 §3.2.2, RFC 3596, RFC 6891). It passes all others on. */
export const Type = {
  A: 1,
  NS: 2,
  CNAME: 5,
  SOA: 6,
  PTR: 12,
  HINFO: 13,
  MX: 15,
  TXT: 16,
  AAAA: 28,
  SRV: 33,
  OPT: 41,
  DS: 43,
  RRSIG: 46,
  SVCB: 64,
  HTTPS: 65,
  IXFR: 251,
  AXFR: 252,
  ANY: 255,
} as const

/** Classes (RFC 1035 §3.2.4). */
export const Class = { IN: 1, CH: 3, ANY: 255 } as const

/** Response codes (RFC 1035 §4.1.1, RFC 6891 §9). */
export const Rcode = {
  NOERROR: 0,
  FORMERR: 1,
  SERVFAIL: 2,
  NXDOMAIN: 3,
  NOTIMP: 4,
  REFUSED: 5,
  NOTAUTH: 9,
  BADVERS: 16,
} as const

const failures: readonly number[] = [
  Rcode.FORMERR,
  Rcode.SERVFAIL,
  Rcode.NOTIMP,
  Rcode.REFUSED,
  Rcode.NOTAUTH,
]

/** True for an Rcode by which a server reports a problem of its own: another server may have the answer. */
export function isFailure(rcode: number): boolean {
  return rcode >= Rcode.BADVERS || failures.includes(rcode)
}

/** Extended errors, which explain a failure to people (RFC 8914 §4). */
export const Extended = {
  other: 0,
  staleAnswer: 3,
  forged: 4,
  cachedError: 13,
  notReady: 14,
  blocked: 15,
  staleNxdomain: 19,
  notSupported: 21,
  noReachableAuthority: 22,
  networkError: 23,
} as const

/** Bits of the header's third byte. */
export const flag = { QR: 0x80, opcode: 0x78, AA: 0x04, TC: 0x02, RD: 0x01 } as const
/** Bits of the header's fourth byte. */
export const flag2 = { RA: 0x80, AD: 0x20, CD: 0x10, rcode: 0x0f } as const

export const headerBytes = 12
/** The longest name in wire format, with its root label (RFC 1035 §3.1). */
export const maxName = 255
/** The longest UDP answer without EDNS (RFC 1035 §4.2.1). */
export const plainUdpSize = 512
/** The EDNS buffer size sent here: such datagrams pass any network unfragmented (DNS flag day 2020). */
export const ownUdpSize = 1232
/** The size of an OPT record without options. */
export const emptyOpt = 11
