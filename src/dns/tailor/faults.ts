import { randomInt } from 'node:crypto'
import { DnsError } from '../errors.ts'
import { take } from '../takes.ts'
import { typeNumber } from '../wire/mnemonics.ts'
import { askerPattern, isNet, type NamePattern, namePattern } from './pattern.ts'
import { randomAt } from './random.ts'

/** Ways to fail. `delay` only takes time; `truncate` concerns UDP alone, and TCP gets the whole answer. */
export const faultKinds = ['nxdomain', 'servfail', 'refused', 'drop', 'delay', 'truncate'] as const
export type FaultKind = (typeof faultKinds)[number]

/** A rule by which answers fail, for tests. */
export interface Fault {
  /** `www.example.org`; `*.example.org` for everything below it; `*` for all names. */
  readonly name: string
  readonly fault: FaultKind
  /** Only queries of this type: `AAAA`. */
  readonly type?: string
  /** Only queries from these addresses and networks: `192.168.0.1`, `192.168.2.0/24`. */
  readonly askers?: readonly string[]
  /** The share of matching queries that fail, above 0 and up to 1. Default: 1. */
  readonly probability?: number
  /** The same seed chooses the same queries, counted from the first that matches: 0 to 4294967295. Default: a random one. */
  readonly seed?: number
  /** For `delay`: the time before the answer, in milliseconds, up to 60,000. */
  readonly delayMs?: number
  /** How many queries fail; later ones are answered. Default: all. */
  readonly times?: number
}

/** A rule in force. */
export interface FaultStatus extends Fault {
  readonly id: number
  readonly probability: number
  readonly seed: number
  /** Queries that fitted the rule. */
  readonly matched: number
  /** Queries that it made fail. */
  readonly failed: number
}

/** The rules by which answers fail. They can change at any time. */
export interface FaultRules {
  /** Adds a rule behind the others. Throws BAD_FAULT. */
  add(fault: Fault): FaultStatus
  list(): FaultStatus[]
  /** Removes one rule, or all, and returns those removed. */
  clear(id?: number): FaultStatus[]
}

/** What happens to a query. */
export interface Verdict {
  /** In milliseconds, of all delays that fit it. */
  readonly delayMs: number
  /** The first other fault that fits it. */
  readonly fault: Exclude<FaultKind, 'delay'> | undefined
}

/** What rules look at. */
export interface Asked {
  /** The name's key. */
  readonly name: string
  readonly type: number
  readonly address: string
}

interface Rule {
  readonly given: Fault
  readonly id: number
  readonly probability: number
  readonly seed: number
  readonly fits: NamePattern
  readonly type: number | undefined
  readonly isAsker: (address: string) => boolean
  matched: number
  failed: number
}

const longestDelayMs = 60_000
/** Each query is compared with all of them. */
const mostRules = 1000
const largestSeed = 0xffffffff

/** Keeps the rules and decides by them. */
export class Faults implements FaultRules {
  #rules: Rule[] = []
  #last = 0
  readonly #changed: () => void

  /** `changed` is called after every change of the rules. */
  constructor(faults: readonly Fault[] = [], changed: () => void = () => {}) {
    this.#changed = () => {}
    for (const fault of faults) this.add(fault)
    this.#changed = changed
  }

  get size(): number {
    return this.#rules.length
  }

  add(fault: Fault): FaultStatus {
    take('add fault', fault, 'fault')
    if (this.#rules.length >= mostRules) throw badFault(fault, `there are ${mostRules} faults already`)
    const rule = ruleOf(fault, ++this.#last)
    this.#rules.push(rule)
    this.#changed()
    return statusOf(rule)
  }

  list(): FaultStatus[] {
    return this.#rules.map(statusOf)
  }

  clear(id?: number): FaultStatus[] {
    const gone = this.#rules.filter(rule => id === undefined || rule.id === id)
    this.#rules = this.#rules.filter(rule => !gone.includes(rule))
    this.#changed()
    return gone.map(statusOf)
  }

  /** True for a query that a rule fits, whether or not it fails this time. */
  concern(asked: Asked): boolean {
    return this.#rules.some(rule => fits(rule, asked))
  }

  /** Decides about one query, and counts it. */
  decide(asked: Asked): Verdict {
    let delayMs = 0
    for (const rule of this.#rules) {
      if (!fits(rule, asked)) continue
      const draw = randomAt(rule.seed, rule.matched++)
      if (draw >= rule.probability || rule.failed >= (rule.given.times ?? Infinity)) continue
      rule.failed++
      const { fault, delayMs: ms = 0 } = rule.given
      if (fault !== 'delay') return { delayMs, fault }
      delayMs = Math.min(delayMs + ms, longestDelayMs)
    }
    return { delayMs, fault: undefined }
  }
}

function fits(rule: Rule, { name, type, address }: Asked): boolean {
  return (rule.type === undefined || rule.type === type) && rule.fits(name) && rule.isAsker(address)
}

function statusOf({ given, id, probability, seed, matched, failed }: Rule): FaultStatus {
  return { ...given, id, probability, seed, matched, failed }
}

function ruleOf(given: Fault, id: number): Rule {
  const { name, fault, type, askers, probability = 1, seed = randomInt(largestSeed), delayMs, times } = given
  const pattern = namePattern(name)
  if (!pattern) throw badFault(given, `'${name}' is not a name, *.domain or *`)
  if (!faultKinds.includes(fault)) throw badFault(given, `'${fault}' is not one of ${faultKinds.join(', ')}`)
  const number = type === undefined ? undefined : typeNumber(type)
  if (type !== undefined && number === undefined) throw badFault(given, `'${type}' is not a type of records`)
  const wrong = askers?.find(asker => !isNet(asker))
  if (wrong !== undefined) throw badFault(given, `'${wrong}' is not an address or network`)
  if (!(probability > 0 && probability <= 1))
    throw badFault(given, `the probability ${probability} is not above 0 and up to 1`)
  if (!isWhole(seed, 0, largestSeed))
    throw badFault(given, `the seed ${seed} is not from 0 to ${largestSeed}`)
  if (times !== undefined && !isWhole(times, 1, Number.MAX_SAFE_INTEGER))
    throw badFault(given, `${times} is not a number of times`)
  if (fault === 'delay' ? !isWhole(delayMs, 1, longestDelayMs) : delayMs !== undefined)
    throw badFault(given, `only a delay has a time, of 1 to ${longestDelayMs} ms`)
  const isAsker = askers ? askerPattern(askers) : () => true
  return { given, id, probability, seed, fits: pattern, type: number, isAsker, matched: 0, failed: 0 }
}

function isWhole(value: number | undefined, least: number, most: number): boolean {
  return Number.isInteger(value) && value! >= least && value! <= most
}

function badFault({ name, fault }: Fault, reason: string): DnsError {
  const remedy = 'Example: *.example.org servfail, with probability 0.5 and seed 7'
  const target = `${fault} for ${name}`
  return new DnsError({ code: 'BAD_FAULT', kind: 'usage', op: 'answer with', target, reason, remedy })
}
