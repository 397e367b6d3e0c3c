import { conflict } from '../errors.ts'
import { type Family, protocolName, protocolNumbers } from '../names.ts'
import { anonymousName, checkSet, type SetShape } from '../set/shape.ts'
import { types } from '../types.ts'
import { type Data, type Expression, NFT_REG_1, type WireElement } from '../wire/index.ts'

/** A set that belongs to one rule, and is created just before it. */
export interface AnonymousSet extends SetShape {
  readonly id: number
  readonly elements: readonly WireElement[]
  /** Of a meter: these instead of those of a constant set. */
  readonly name?: string
  readonly flags?: number
  readonly size?: number
  readonly timeouts?: true
}

/** What a rule knows of the rest of its transaction. */
export interface Surroundings {
  /** Numbers the new sets of a transaction. */
  nextId(): number
  /** A set of the rule's table, if it is known. */
  find(name: string): SetShape | undefined
}

/** One part of a rule. */
export interface Statement {
  /** For error messages: nft's spelling, or close to it. */
  readonly text: string
  write(rule: Draft): void
}

/** A rule alone: it counts its own sets, and knows no others. */
const alone: Surroundings = { nextId: () => 0, find: () => undefined }

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
  readonly #around: Surroundings
  #network: Network | undefined
  #transport: number | 'one of some' | undefined
  #ethernet: boolean

  constructor(family: Family, around: Surroundings = alone) {
    this.family = family
    this.#around = around
    this.#network = family === 'ip' || family === 'ip6' ? family : undefined
    this.#ethernet = family === 'bridge'
  }

  add(...expressions: readonly Expression[]): void {
    this.expressions.push(...expressions)
  }

  /** Adds a set that belongs to this rule. */
  addSet(set: Omit<AnonymousSet, 'id'>): { set: string; setId: number } {
    const id = this.#around.nextId()
    this.sets.push({ ...set, id })
    return { set: set.name ?? anonymousName(set), setId: id }
  }

  /**
   * A named set of the rule's table, if it is known. Throws when its values are of another type than what is
   * looked up in it.
   */
  findSet(name: string, wanted: Omit<SetShape, 'interval'>, what: string): SetShape | undefined {
    const found = this.#around.find(name)
    if (found) checkSet(name, found, { ...wanted, what })
    return found
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
