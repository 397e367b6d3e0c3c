import { take } from '../takes.ts'
import type { Data, Expression } from '../wire/index.ts'
import { logLevels } from '../words.ts'
import { dynsetText, moreTexts } from './more.ts'
import { hex, joined, type Of, type Writers } from './parts.ts'

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

const register = (name: string, number: number | undefined) => number !== undefined && `${name} reg ${number}`
const flagged = (flags: number | undefined) => flags !== undefined && flags !== 0 && `flags ${hex(flags)}`

const loadOrSet = ({ kind, key, source, destination }: Of<'meta' | 'ct'>) =>
  source === undefined ? `${kind} load ${key} => reg ${destination}` : `${kind} set ${key} with reg ${source}`

const directed = (ct: Of<'ct'>) =>
  joined(loadOrSet(ct), ct.direction !== undefined && `, dir ${ct.direction === 0 ? 'original' : 'reply'}`)

const ports = ({ portMin, portMax }: Of<'masq' | 'redir' | 'nat'>) =>
  joined(register('proto_min', portMin), register('proto_max', portMax))

const units = new Map([
  [1n, 'second'],
  [60n, 'minute'],
  [3600n, 'hour'],
  [86400n, 'day'],
  [604800n, 'week'],
])

const fibParts = { saddr: 1, daddr: 2, mark: 4, iif: 8, oif: 16 }
const fibPresent = 32
const fibText = ({ flags = 0, result, destination }: Of<'fib'>) =>
  joined(
    `fib ${named(fibParts, flags).join(' . ')} ${result}`,
    (flags & fibPresent) !== 0 && 'present',
    `=> reg ${destination}`,
  )

/** NF_LOG_*. */
const logFlags = { tcpseq: 1, tcpopt: 2, ipopt: 4, uid: 8, nflog: 16, macdecode: 32 }

const named = (names: Readonly<Record<string, number>>, flags: number): string[] =>
  Object.keys(names).filter(name => flags & names[name]!)

function logText({ prefix, group, level, flags = 0, ...rest }: Of<'log'>): string {
  const { snapLength = 0, queueThreshold = 0 } = rest
  const number = typeof level === 'string' ? logLevels.indexOf(level) : level
  const to = group !== undefined && `group ${group} snaplen ${snapLength} qthreshold ${queueThreshold}`
  const how = group === undefined && number !== undefined && `level ${number}`
  return joined('log', prefix !== undefined && `prefix ${prefix}`, to, how, ...named(logFlags, flags))
}

function payloadText(expression: Of<'payload'>): string {
  const { base, offset, length, destination, source } = expression
  const place = `${length}b @ ${base} header + ${offset}`
  if (source === undefined) return `payload load ${place} => reg ${destination}`
  const { checksumType = 0, checksumOffset = 0, checksumFlags = 0 } = expression
  const sums = `csum_type ${checksumType} csum_off ${checksumOffset} csum_flags ${hex(checksumFlags)}`
  return `payload write reg ${source} => ${place} ${sums}`
}

function limitText({ rate, unit, burst = 0, type, flags = 0 }: Of<'limit'>): string {
  const per = units.get(unit ?? 1n) ?? `${unit} seconds`
  return `limit rate ${rate}/${per} burst ${burst} type ${type} flags ${hex(flags)}`
}

const rejectTypes = ['icmp', 'tcp reset', 'icmpx']

const writers: Writers = {
  meta: loadOrSet,
  ct: directed,
  immediate: ({ destination, data }) => `immediate reg ${destination} ${words(data)}`,
  cmp: ({ operation, source, data }) => `cmp ${operation} reg ${source} ${words(data)}`,
  range: ({ operation, source, from, to }) => `range ${operation} reg ${source} ${words(from)} ${words(to)}`,
  bitwise: ({ source, destination, operation, mask, xor, data }) =>
    operation === 'lshift' || operation === 'rshift'
      ? `bitwise reg ${destination} = ( reg ${source} ${operation === 'lshift' ? '<<' : '>>'} ${words(data)} )`
      : `bitwise reg ${destination} = ( reg ${source} & ${words(mask)} ) ^ ${words(xor)}`,
  byteorder: ({ source, destination, operation, size, length }) =>
    `byteorder reg ${destination} = ${operation}(reg ${source}, ${size}, ${length})`,
  payload: payloadText,
  lookup: ({ source, set, destination, flags }) =>
    joined(
      `lookup reg ${source} set ${set}`,
      destination !== undefined && `dreg ${destination}`,
      flags !== undefined && hex(flags),
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
  fib: fibText,
  ...moreTexts,
  dynset: dynsetText(expressionText),
}

/**
 * An expression as `nft --debug=netlink` prints it, without the brackets. Expressions without a form here
 * show their name alone.
 */
export function expressionText(expression: Expression): string {
  take('print expression', expression, 'Expression')
  if (expression.kind === 'other') return expression.name
  const write = writers[expression.kind] as ((expression: Expression) => string) | undefined
  return write?.(expression) ?? expression.kind
}
