/** Record types by number (the common ones of IANA's list). */
const types: Readonly<Record<number, string>> = {
  1: 'A',
  2: 'NS',
  5: 'CNAME',
  6: 'SOA',
  12: 'PTR',
  13: 'HINFO',
  15: 'MX',
  16: 'TXT',
  17: 'RP',
  18: 'AFSDB',
  24: 'SIG',
  25: 'KEY',
  28: 'AAAA',
  29: 'LOC',
  33: 'SRV',
  35: 'NAPTR',
  37: 'CERT',
  39: 'DNAME',
  41: 'OPT',
  43: 'DS',
  44: 'SSHFP',
  46: 'RRSIG',
  47: 'NSEC',
  48: 'DNSKEY',
  50: 'NSEC3',
  51: 'NSEC3PARAM',
  52: 'TLSA',
  53: 'SMIMEA',
  59: 'CDS',
  60: 'CDNSKEY',
  61: 'OPENPGPKEY',
  64: 'SVCB',
  65: 'HTTPS',
  99: 'SPF',
  250: 'TSIG',
  251: 'IXFR',
  252: 'AXFR',
  255: 'ANY',
  256: 'URI',
  257: 'CAA',
}

const numbers = new Map(Object.entries(types).map(([number, name]) => [name, Number(number)]))
const classes: Readonly<Record<number, string>> = { 1: 'IN', 3: 'CH', 4: 'HS', 254: 'NONE', 255: 'ANY' }
const rcodes: Readonly<Record<number, string>> = {
  0: 'NOERROR',
  1: 'FORMERR',
  2: 'SERVFAIL',
  3: 'NXDOMAIN',
  4: 'NOTIMP',
  5: 'REFUSED',
  6: 'YXDOMAIN',
  7: 'YXRRSET',
  8: 'NXRRSET',
  9: 'NOTAUTH',
  10: 'NOTZONE',
  16: 'BADVERS',
}

/** `A`, `TYPE65280` (RFC 3597 §5). */
export function typeText(type: number): string {
  return types[type] ?? `TYPE${type}`
}

/** The number of `aaaa` or `TYPE65280`; undefined for an unknown type. */
export function typeNumber(text: string): number | undefined {
  const name = text.toUpperCase()
  const known = numbers.get(name)
  if (known !== undefined) return known
  const number = Number(/^TYPE(\d{1,5})$/.exec(name)?.[1] ?? Number.NaN)
  return number <= 0xffff ? number : undefined
}

export function classText(value: number): string {
  return classes[value] ?? `CLASS${value}`
}

export function rcodeText(rcode: number): string {
  return rcodes[rcode] ?? `RCODE${rcode}`
}
