import { conflict } from '../errors.ts'
import { type Family, protocolName, protocolNumbers } from '../names.ts'
import { types, type ValueType } from '../values.ts'
import { type Data, type Expression, NFT_REG_1, type WireElement } from '../wire/index.ts'

/** A set that belongs to one rule, and is created just before it. */
export interface AnonymousSet {
  readonly id: number
  readonly type: ValueType<unknown>
  readonly interval: boolean
  readonly elements: readonly WireElement[]
  /** For a map: the type of its values. */
  readonly data?: ValueType<unknown> | 'verdict'
}

/** One part of a rule. */
export interface Statement {
  /** For error messages: nft's spelling, or close to it. */
  readonly text: string
  write(rule: Draft): void
}

type Network = 'ip' | 'ip6'
const ethernet = 1 // ARPHRD_ETHER

/**
 * A rule under construction. It tracks which packets can reach the next expression: so `tcp dport 22` is
 * preceded by one check of the protocol, and `ip saddr` after `ip6 daddr` is refused, both as nft does it.
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

  /** Adds a set that belongs to this rule. */
  addSet(set: Omit<AnonymousSet, 'id'>): { set: string; setId: number } {
    const id = this.#nextId()
    this.sets.push({ ...set, id })
    return { set: set.data === undefined ? '__set%d' : '__map%d', setId: id }
  }

  get network(): Network | undefined {
    return this.#network
  }

  /** True when the protocol is known, at least to be one of several with ports. */
  get hasTransport(): boolean {
    return this.#transport !== undefined
  }

  /** Lets only packets of this protocol continue. It adds a check unless that is known already. */
  needNetwork(network: Network, statement: string): void {
    if (this.#network === network) return
    this.knowNetwork(network, statement)
    if (this.family === 'inet') {
      const value = types.nf_proto.span(network === 'ip' ? 'ipv4' : 'ipv6').from
      this.add({ kind: 'meta', key: 'nfproto', destination: NFT_REG_1 }, equal(value))
    } else {
      const value = types.ether_type.span(network).from
      this.add({ kind: 'meta', key: 'protocol', destination: NFT_REG_1 }, equal(value))
    }
  }

  /** The same for tcp, udp, … */
  needTransport(protocol: string, statement: string): void {
    const number = protocolNumbers[protocol] as number
    if (this.#transport === number) return
    this.knowTransport(number, statement)
    this.add({ kind: 'meta', key: 'l4proto', destination: NFT_REG_1 }, equal(Uint8Array.of(number)))
  }

  /**
   * Requires an Ethernet header. A bridge always has one; elsewhere it adds a check of the incoming
   * interface's type.
   */
  needEthernet(): void {
    if (this.#ethernet) return
    this.#ethernet = true
    const value = Uint8Array.of(ethernet, 0)
    this.add({ kind: 'meta', key: 'iiftype', destination: NFT_REG_1 }, equal(value))
  }

  /** Records the network protocol that the rule has just checked. */
  knowNetwork(network: Network, statement: string): void {
    if (this.#network !== undefined && this.#network !== network)
      throw conflict(statement, `only ${this.#network} packets reach it`)
    this.#network = network
  }

  knowTransport(protocol: number | 'one of some', statement: string): void {
    const known = this.#transport
    if (typeof known === 'number' && typeof protocol === 'number' && known !== protocol)
      throw conflict(statement, `only ${protocolName(known)} packets reach it`)
    if (typeof known !== 'number') this.#transport = protocol
  }
}

/** Compares register 1 with `value`. */
export function equal(value: Uint8Array, operation: 'eq' | 'neq' = 'eq'): Expression {
  return { kind: 'cmp', source: NFT_REG_1, operation, data: { value } }
}

export function immediate(register: number, data: Data): Expression {
  return { kind: 'immediate', destination: register, data }
}
