import { addressBytes, isAddress, macBytes } from '../../base/index.ts'
import type { FilterReader } from './filter-words.ts'
import { etherTypes, type Layers, protocols, u16 } from './layers.ts'

/** A part of a filter. */
export type Match = (layers: Layers, bytes: Uint8Array) => boolean

/** `tcp src port`: what the words before a value say. */
export interface Qualifiers {
  readonly protocol: Protocol | undefined
  readonly direction: Direction
  readonly kind: Kind
}

type Direction = 'src' | 'dst' | 'either' | 'both'
type Kind = 'host' | 'net' | 'port' | 'portrange'
type Protocol = (typeof protocolWords)[number]

const protocolWords = ['ether', 'ip', 'ip6', 'arp', 'tcp', 'udp', 'icmp', 'icmp6', 'vlan'] as const

/** Reads one condition. `last` are the qualifiers of the one before: a value alone has the same. */
export function primitive(
  reader: FilterReader,
  last: Qualifiers | undefined,
): { readonly match: Match; readonly qualifiers: Qualifiers | undefined } {
  const length = reader.take('less', 'greater')
  if (length)
    return { match: lengthMatch(length, reader.must('a number of bytes', number)), qualifiers: last }
  const alone = reader.take('broadcast', 'multicast')
  if (alone) return { match: cast(alone), qualifiers: last }
  const protocol = reader.take(...protocolWords)
  if (protocol) {
    const own = ownWords(reader, protocol)
    if (own) return { match: own, qualifiers: last }
  }
  const direction = directionOf(reader)
  const kind = reader.take('host', 'net', 'port', 'portrange')
  if (protocol && direction === undefined && kind === undefined)
    return { match: isOf(protocol), qualifiers: last }
  const bare = protocol === undefined && direction === undefined && kind === undefined
  if (bare && !(last && mayBeValue(reader.next))) throw unknown(reader)
  const given = bare ? last! : { protocol, direction: direction ?? 'either', kind: kind ?? 'host' }
  const match = valueMatch(reader, given)
  const { protocol: of } = given
  return { match: of ? both(isOf(of), match) : match, qualifiers: given }
}

/** What a filter can begin with. */
function unknown(reader: FilterReader): Error {
  const word = reader.next === undefined ? 'the end' : `'${reader.next}'`
  const isArithmetic = /[[\]<>=&|+*/-]/.test(reader.next ?? '')
  if (isArithmetic) return reader.refusal(`${word} is arithmetic, which this language leaves out`)
  return reader.refusal(`${word} is none of host, net, port, src, dst, a protocol, and, or, not`)
}

/** Words that only some protocols have: `ether proto 0x88cc`, `ip multicast`, `vlan 5`. */
function ownWords(reader: FilterReader, protocol: Protocol): Match | undefined {
  if (protocol === 'vlan') {
    const id = reader.may(number)
    return id === undefined ? undefined : ({ vlans }) => vlans.includes(id)
  }
  if (protocol !== 'ether' && protocol !== 'ip' && protocol !== 'ip6') return undefined
  if (reader.take('proto')) return protocolMatch(reader, protocol)
  const alone = reader.take('broadcast', 'multicast')
  if (alone) return both(isOf(protocol), cast(alone))
  return undefined
}

function protocolMatch(reader: FilterReader, family: 'ether' | 'ip' | 'ip6'): Match {
  if (family === 'ether') {
    const types: Readonly<Record<string, number>> = {
      ip: etherTypes.ipv4,
      ip6: etherTypes.ipv6,
      arp: etherTypes.arp,
    }
    const type = reader.must('a type of Ethernet', word => types[word.replace(/^\\/, '')] ?? number(word))
    return ({ etherType }) => etherType === type
  }
  const names: Readonly<Record<string, number>> = protocols
  const wanted = reader.must('an IP protocol', word => names[word.replace(/^\\/, '')] ?? number(word))
  return both(isOf(family), ({ protocol }) => protocol === wanted)
}

function directionOf(reader: FilterReader): Direction | undefined {
  const first = reader.take('src', 'dst')
  if (!first) return undefined
  const word = reader.next
  if (word !== 'or' && word !== 'and') return first
  const mark = reader.mark()
  reader.take('or', 'and')
  const second = reader.take('src', 'dst')
  if (second && second !== first) return word === 'or' ? 'either' : 'both'
  reader.back(mark)
  return first
}

function isOf(protocol: Protocol): Match {
  switch (protocol) {
    case 'ether':
      return () => true
    case 'vlan':
      return ({ vlans }) => vlans.length > 0
    case 'ip':
      return ({ etherType }) => etherType === etherTypes.ipv4
    case 'ip6':
      return ({ etherType }) => etherType === etherTypes.ipv6
    case 'arp':
      return ({ etherType }) => etherType === etherTypes.arp
    case 'icmp':
      return layers => layers.protocol === protocols.icmp && layers.addressLength === 4
    case 'icmp6':
      return layers => layers.protocol === protocols.icmp6 && layers.addressLength === 16
    default:
      return layers => layers.protocol === protocols[protocol]
  }
}

function valueMatch(reader: FilterReader, { protocol, direction, kind }: Qualifiers): Match {
  if (kind === 'host' && protocol === 'ether') {
    const mac = reader.must('an Ethernet address', macOf)
    return toward(
      direction,
      at => (_, bytes) => equals(bytes, at === 'src' ? 6 : 0, { wanted: mac, bits: 48 }),
    )
  }
  if (kind === 'port' || kind === 'portrange') return portMatch(reader, direction, kind)
  const what = kind === 'host' ? 'an IP address' : 'a network, such as 192.168.1.0/24'
  const { wanted, bits } = reader.must(what, kind === 'host' ? hostOf : netOf)
  return toward(
    direction,
    at => (layers, bytes) =>
      layers.addressLength === wanted.length &&
      equals(bytes, at === 'src' ? layers.source : layers.destination, { wanted, bits }),
  )
}

function portMatch(reader: FilterReader, direction: Direction, kind: 'port' | 'portrange'): Match {
  const range = kind === 'port' ? 'a port' : 'two ports, such as 6000-6008'
  const [low, high] = reader.must(range, word => portsOf(word, kind))
  return toward(direction, at => ({ protocol, transport, end }, bytes) => {
    if ((protocol !== protocols.tcp && protocol !== protocols.udp) || transport < 0 || transport + 4 > end)
      return false
    const port = u16(bytes, transport + (at === 'src' ? 0 : 2))
    return port >= low && port <= high
  })
}

function toward(direction: Direction, one: (at: 'src' | 'dst') => Match): Match {
  if (direction === 'src' || direction === 'dst') return one(direction)
  const [source, destination] = [one('src'), one('dst')]
  if (direction === 'both') return both(source, destination)
  return (layers, bytes) => source(layers, bytes) || destination(layers, bytes)
}

function both(first: Match, second: Match): Match {
  return (layers, bytes) => first(layers, bytes) && second(layers, bytes)
}

/** Of Ethernet: multicast has the lowest bit of the first byte, and broadcast is part of it (IEEE 802.3 §3.2.3). */
function cast(which: 'broadcast' | 'multicast'): Match {
  if (which === 'multicast') return (_, bytes) => (bytes[0]! & 1) === 1
  return (_, bytes) => bytes.subarray(0, 6).every(byte => byte === 255)
}

function lengthMatch(which: 'less' | 'greater', length: number): Match {
  return which === 'less' ? (_, bytes) => bytes.length <= length : (_, bytes) => bytes.length >= length
}

interface Prefix {
  readonly wanted: Uint8Array
  readonly bits: number
}

function equals(bytes: Uint8Array, at: number, { wanted, bits }: Prefix): boolean {
  const whole = bits >> 3
  for (let i = 0; i < whole; i++) if (bytes[at + i] !== wanted[i]) return false
  const rest = bits & 7
  return rest === 0 || (bytes[at + whole]! ^ wanted[whole]!) >> (8 - rest) === 0
}

function hostOf(word: string): Prefix | undefined {
  if (!isAddress(word)) return undefined
  const wanted = addressBytes(word)
  return { wanted, bits: wanted.length * 8 }
}

function netOf(word: string): Prefix | undefined {
  const [address = '', length] = word.split('/')
  const host = hostOf(address)
  if (!host || length === undefined) return host
  const bits = /^\d{1,3}$/.test(length) ? Number(length) : Number.NaN
  return bits <= host.bits ? { wanted: host.wanted, bits } : undefined
}

function macOf(word: string): Uint8Array | undefined {
  return /^([\da-f]{2}:){5}[\da-f]{2}$/.test(word) ? macBytes(word) : undefined
}

function portsOf(word: string, kind: 'port' | 'portrange'): [number, number] | undefined {
  const [low = '', high = low, ...more] = kind === 'port' ? [word] : word.split('-')
  const ports = [number(low), number(high)] as const
  if (more.length > 0 || (kind === 'portrange' && !word.includes('-'))) return undefined
  if (!ports.every(port => port !== undefined && port <= 65_535)) return undefined
  return ports as [number, number]
}

function number(word: string): number | undefined {
  return /^(0x[\da-f]{1,8}|\d{1,9})$/.test(word) ? Number(word) : undefined
}

/** A value alone takes the qualifiers of the condition before. */
function mayBeValue(word: string | undefined): boolean {
  return word !== undefined && /^[\da-f][\da-f.:/-]*$/.test(word)
}
