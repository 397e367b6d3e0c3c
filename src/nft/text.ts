import { type Data, type Expression, NFT_FIB_F_DADDR, NFT_FIB_F_SADDR } from './wire/index.ts'

type Kind = Exclude<Expression['kind'], 'other'>
type Of<K extends Kind> = Extract<Expression, { kind: K }>

/** Register contents as nft prints them: words of four bytes in host order. */
function words(data: Data | undefined): string {
  const { value = new Uint8Array(), verdict } = data ?? {}
  if (verdict) return verdict.chain === undefined ? `${verdict.code}` : `${verdict.code} -> ${verdict.chain}`
  const padded = new Uint8Array((value.length + 3) & ~3)
  padded.set(value)
  const view = new DataView(padded.buffer)
  return Array.from({ length: padded.length / 4 }, (_, word) => hex(view.getUint32(4 * word, true), 8)).join(
    ' ',
  )
}

const hex = (value: number, digits = 1) => `0x${value.toString(16).padStart(digits, '0')}`
const register = (name: string, number: number | undefined) => number !== undefined && `${name} reg ${number}`
const flagged = (flags: number | undefined) => flags !== undefined && flags !== 0 && `flags ${hex(flags)}`
const joined = (...parts: readonly (string | false | undefined)[]) => parts.filter(Boolean).join(' ')

const loadOrSet = ({ kind, key, source, destination }: Of<'meta' | 'ct'>) =>
  source === undefined ? `${kind} load ${key} => reg ${destination}` : `${kind} set ${key} with reg ${source}`

const ports = ({ portMin, portMax }: Of<'masq' | 'redir' | 'nat'>) =>
  joined(register('proto_min', portMin), register('proto_max', portMax))

const units = new Map([
  [1n, 'second'],
  [60n, 'minute'],
  [3600n, 'hour'],
  [86400n, 'day'],
  [604800n, 'week'],
])

const fibFlags = (flags = 0) =>
  joined(flags & NFT_FIB_F_SADDR ? 'saddr' : false, flags & NFT_FIB_F_DADDR ? 'daddr' : false)

function logText({ prefix, group, level, snapLength = 0, queueThreshold = 0 }: Of<'log'>): string {
  const levels = ['emerg', 'alert', 'crit', 'err', 'warn', 'notice', 'info', 'debug']
  const to =
    group === undefined ? `level ${typeof level === 'string' ? levels.indexOf(level) : (level ?? 4)}` : ''
  const destination =
    group === undefined ? to : `group ${group} snaplen ${snapLength} qthreshold ${queueThreshold}`
  return joined('log', prefix !== undefined && `prefix ${prefix}`, destination)
}

function limitText({ rate, unit, burst = 0, type, flags = 0 }: Of<'limit'>): string {
  const per = units.get(unit ?? 1n) ?? `${unit} seconds`
  return `limit rate ${rate}/${per} burst ${burst} type ${type} flags ${hex(flags)}`
}

const rejectTypes = ['icmp', 'tcp reset', 'icmpx']

const writers: { readonly [K in Kind]?: (expression: Of<K>) => string } = {
  meta: loadOrSet,
  ct: loadOrSet,
  immediate: ({ destination, data }) => `immediate reg ${destination} ${words(data)}`,
  cmp: ({ operation, source, data }) => `cmp ${operation} reg ${source} ${words(data)}`,
  range: ({ operation, source, from, to }) => `range ${operation} reg ${source} ${words(from)} ${words(to)}`,
  bitwise: ({ source, destination, mask, xor }) =>
    `bitwise reg ${destination} = ( reg ${source} & ${words(mask)} ) ^ ${words(xor)}`,
  byteorder: ({ source, destination, operation, size, length }) =>
    `byteorder reg ${destination} = ${operation}(reg ${source}, ${size}, ${length})`,
  payload: ({ base, offset, length, destination }) =>
    `payload load ${length}b @ ${base} header + ${offset} => reg ${destination}`,
  lookup: ({ source, set, destination, flags }) =>
    joined(
      `lookup reg ${source} set ${set}`,
      destination !== undefined && `dreg ${destination}`,
      flags !== undefined && flags !== 0 && hex(flags),
    ),
  counter: ({ packets = 0n, bytes = 0n }) => `counter pkts ${packets} bytes ${bytes}`,
  limit: limitText,
  log: logText,
  reject: ({ type, icmpCode = 0 }) => `reject type ${rejectTypes.indexOf(`${type}`)} code ${icmpCode}`,
  nat: expression => {
    const { type, family, addressMin, addressMax, flags } = expression
    const addresses = [register('addr_min', addressMin), register('addr_max', addressMax)]
    return joined(`nat ${type} ${family}`, ...addresses, ports(expression), flagged(flags))
  },
  masq: expression => joined('masq', ports(expression), flagged(expression.flags)),
  redir: expression => joined('redir', ports(expression), flagged(expression.flags)),
  numgen: ({ destination, mode, modulus, offset }) =>
    joined(`numgen reg ${destination} = ${mode} mod ${modulus}`, offset ? `offset ${offset}` : false),
  fib: ({ flags, result, destination }) => `fib ${fibFlags(flags)} ${result} => reg ${destination}`,
}

/**
 * An expression as `nft --debug=netlink` prints it, without the brackets. Expressions without a form here
 * show their name alone.
 */
export function expressionText(expression: Expression): string {
  if (expression.kind === 'other') return expression.name
  const write = writers[expression.kind] as ((expression: Expression) => string) | undefined
  return write?.(expression) ?? expression.kind
}
