import { conflict } from '../errors.ts'
import { type Family, protocolName, protocolNumbers } from '../names.ts'
import { types, type ValueType } from '../values.ts'
import { type Data, type Expression, NFT_REG_1, type WireElement } from '../wire/index.ts'

/** A set that belongs to one rule, and is made just before it. */
export interface AnonymousSet {
  readonly id: number
  readonly type: ValueType<unknown>
  readonly interval: boolean
  readonly elements: readonly WireElement[]
  /** Of a map: what the values are. */
  readonly data?: ValueType<unknown> | 'verdict'
}

/** One part of a rule. */
export interface Statement {
  /** nft's spelling, or about it: for messages. */
  readonly text: string
  write(rule: Draft): void
}

type Network = 'ip' | 'ip6'
const ethernet = 1 // ARPHRD_ETHER

/**
 * A rule while it is written. It knows what the packets that get so far are known to be, so that `tcp dport 22` is
 * preceded by a look at the protocol, once, and `ip saddr` after `ip6 daddr` is refused, as nft does it.
 */
export class Draft {
  readonly family: Family
  readonly expressions: Expression[] = []
  readonly sets: AnonymousSet[] = []
  readonly #nextId: () => number
  #network: Network | undefined
  #transport: number | 'one of some' | undefined
  #ethernet: boolean

  constructor(family: Family, nextId: () => number) {
    this.family = family
    this.#nextId = nextId
    this.#network = family === 'ip' || family === 'ip6' ? family : undefined
    this.#ethernet = family === 'bridge'
  }

  add(...expressions: readonly Expression[]): void {
    this.expressions.push(...expressions)
  }

  /** Makes a set of this rule's own. */
  addSet(set: Omit<AnonymousSet, 'id'>): { set: string; setId: number } {
    const id = this.#nextId()
    this.sets.push({ ...set, id })
    return { set: set.data === undefined ? '__set%d' : '__map%d', setId: id }
  }

  get network(): Network | undefined {
    return this.#network
  }

  /** The protocol is known, at least that it is one of some that have ports. */
  get hasTransport(): boolean {
    return this.#transport !== undefined
  }

  /** From here on only packets of this protocol: looks, unless that is known already. */
  needNetwork(network: Network, who: string): void {
    if (this.#network === network) return
    this.knowNetwork(network, who)
    if (this.family === 'inet') {
      const value = types.nf_proto.span(network === 'ip' ? 'ipv4' : 'ipv6').from
      this.add({ kind: 'meta', key: 'nfproto', destination: NFT_REG_1 }, equal(value))
    } else {
      const value = types.ether_type.span(network).from
      this.add({ kind: 'meta', key: 'protocol', destination: NFT_REG_1 }, equal(value))
    }
  }

  /** The same for tcp, udp, … */
  needTransport(protocol: string, who: string): void {
    const number = protocolNumbers[protocol] as number
    if (this.#transport === number) return
    this.knowTransport(number, who)
    this.add({ kind: 'meta', key: 'l4proto', destination: NFT_REG_1 }, equal(Uint8Array.of(number)))
  }

  /** There is an Ethernet header: on a bridge always, else where the packet came in by such an interface. */
  needEthernet(): void {
    if (this.#ethernet) return
    this.#ethernet = true
    const value = Uint8Array.of(ethernet, 0)
    this.add({ kind: 'meta', key: 'iiftype', destination: NFT_REG_1 }, equal(value))
  }

  /** The rule has just made sure of it. */
  knowNetwork(network: Network, who: string): void {
    if (this.#network !== undefined && this.#network !== network)
      throw conflict(who, `all packets that get here are ${this.#network}`)
    this.#network = network
  }

  knowTransport(protocol: number | 'one of some', who: string): void {
    const known = this.#transport
    if (typeof known === 'number' && typeof protocol === 'number' && known !== protocol)
      throw conflict(who, `all packets that get here are ${protocolName(known)}`)
    if (typeof known !== 'number') this.#transport = protocol
  }
}

/** Register 1 holds this, or not. */
export function equal(value: Uint8Array, operation: 'eq' | 'neq' = 'eq'): Expression {
  return { kind: 'cmp', source: NFT_REG_1, operation, data: { value } }
}

export function immediate(register: number, data: Data): Expression {
  return { kind: 'immediate', destination: register, data }
}
