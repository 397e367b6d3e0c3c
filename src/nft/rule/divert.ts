import { badValue, conflict } from '../errors.ts'
import { synproxyAttributes } from '../object/kinds.ts'
import type { SynproxyOptions } from '../object/spec.ts'
import { type Range, spanOf, valueText } from '../set/span.ts'
import { take } from '../takes.ts'
import { types } from '../types.ts'
import { NFT_QUEUE_FLAG_BYPASS, NFT_QUEUE_FLAG_CPU_FANOUT, NFT_REG_1 } from '../wire/index.ts'
import { type Draft, immediate, type Statement } from './draft.ts'
import { type Field, loadField } from './fields.ts'

/** Keeps the packet out of conntrack: in a chain with a priority before -200. */
export const notrack = (): Statement => ({ text: 'notrack', write: rule => rule.add({ kind: 'notrack' }) })

export interface QueueOptions {
  /** The queue, several of them, or a field with its number such as `match.symhash(…)`. */
  readonly to: number | Range<number> | { readonly field: Field<number> }
  /** Without a program at the queue, packets continue. Default: they are dropped. */
  readonly bypass?: boolean
  /** Chooses among several by the processor. */
  readonly fanout?: boolean
}

/** Hands packets to a program, which decides about them. `queue flags bypass to 1-4` */
export function queue(options: QueueOptions): Statement {
  const { to, bypass, fanout } = take('build queue', options, 'QueueOptions')
  const flags = (bypass ? NFT_QUEUE_FLAG_BYPASS : 0) | (fanout ? NFT_QUEUE_FLAG_CPU_FANOUT : 0)
  const more = flags === 0 ? {} : { flags }
  if (typeof to !== 'number' && 'field' in to)
    return {
      text: `queue to ${to.field.name}`,
      write(rule) {
        loadField(rule, to.field)
        rule.add({ kind: 'queue', ...more, source: NFT_REG_1 })
      },
    }
  const { from: number, to: last } = typeof to === 'number' ? { from: to, to } : to
  if (last < number) throw badValue('queue', `the range ${number} to ${last} is empty`)
  const text = `queue to ${valueText(to)}`
  return { text, write: rule => rule.add({ kind: 'queue', number, total: last - number + 1, ...more }) }
}

export interface TproxyTarget {
  /** A local address. Default: that of the incoming interface. */
  readonly address?: string
  readonly port?: number
}

/** Hands packets to a local socket, and leaves their addresses as they are. `tproxy to :50080` */
export function tproxy(target: TproxyTarget): Statement {
  const { address, port } = take('build tproxy', target, 'TproxyTarget')
  const text = `tproxy to ${address ?? ''}${port === undefined ? '' : `:${port}`}`
  if ((address ?? port) === undefined) throw badValue('tproxy', 'it needs an address or a port')
  return {
    text,
    write(rule) {
      if (!rule.hasTransport)
        throw badValue(text, 'it needs a match of the protocol before it, such as l4proto tcp')
      const family = address === undefined ? rule.network : address.includes(':') ? 'ip6' : 'ip'
      if (address !== undefined && rule.network !== undefined && rule.network !== family)
        throw conflict(text, `only ${rule.network} packets reach it`)
      const registers = loadEach(rule, [
        address === undefined ? undefined : addressBytes(address),
        port === undefined ? undefined : spanOf(types.inet_service, port).from,
      ])
      const [at, portAt] = registers
      rule.add({
        kind: 'tproxy',
        family: family ?? 0,
        ...(at !== undefined && { address: at }),
        ...(portAt !== undefined && { port: portAt }),
      })
    },
  }
}

const addressBytes = (address: string): Uint8Array =>
  (address.includes(':') ? types.ipv6_addr : types.ipv4_addr).span(address).from

/** Loads values into registers from the first on, and returns the register of each. */
function loadEach(rule: Draft, values: readonly (Uint8Array | undefined)[]): (number | undefined)[] {
  let next = NFT_REG_1
  return values.map(value => {
    if (value === undefined) return undefined
    rule.add(immediate(next, { value }))
    return next++
  })
}

/** The copy's way: an address, an interface by its index, or both. */
export interface CopyTarget {
  readonly address?: string
  readonly device?: number
}

/** Sends a copy of the packet. In `netdev` tables it needs a device alone. `dup to 10.0.0.1 device eth0` */
export function dup(target: CopyTarget): Statement {
  const { address, device } = take('build dup', target, 'CopyTarget')
  if ((address ?? device) === undefined) throw badValue('dup', 'it needs an address or a device')
  return {
    text: `dup to ${address ?? `index ${device}`}`,
    write(rule) {
      const bytes = device === undefined ? undefined : types.iface_index.span(device).from
      const [to, through] = loadEach(rule, [address === undefined ? undefined : addressBytes(address), bytes])
      rule.add({
        kind: 'dup',
        ...(to !== undefined && { address: to }),
        ...(through !== undefined && { device: through }),
      })
    },
  }
}

/** Sends the packet out of a device, by its index: in `netdev` tables. `fwd to eth0` */
export function forward(target: { readonly device: number; readonly address?: string }): Statement {
  const { device, address } = take('build fwd', target, 'ForwardTarget')
  return {
    text: `fwd to index ${device}`,
    write(rule) {
      const bytes = types.iface_index.span(device).from
      const [through, to] = loadEach(rule, [bytes, address === undefined ? undefined : addressBytes(address)])
      const family = address?.includes(':') ? 'ip6' : 'ip'
      rule.add({
        kind: 'fwd',
        ...(through !== undefined && { device: through }),
        ...(to !== undefined && { address: to, family }),
      })
    },
  }
}

/** Answers TCP handshakes in place of a server. `synproxy mss 1460 wscale 7 timestamp sack-perm` */
export function synproxy(options: SynproxyOptions): Statement {
  take('build synproxy', options, 'SynproxyOptions')
  return { text: 'synproxy', write: rule => rule.add({ kind: 'synproxy', ...synproxyAttributes(options) }) }
}

/** Lets the packets of this connection take the short way of a flow table. `flow add @f` */
export function addFlow(flowtable: string): Statement {
  take('build flow', flowtable, ['text', 'flowtable'])
  return { text: `flow add @${flowtable}`, write: rule => rule.add({ kind: 'flow_offload', flowtable }) }
}
