import { XclusterError } from '../../../src/base/index.ts'
import { replaced } from './wrong.ts'

/** A string type of some words, as `'drop' | 'pass'`. Any string is none. */
type Words<V> = V extends string ? (string extends V ? never : V) : never

/** What is not looked into: bytes, functions, objects with methods such as statements and namespaces. */
type Whole =
  | Uint8Array
  | ((...args: never[]) => unknown)
  | { write: unknown }
  | { load: unknown }
  | { field: unknown }
type Closable = { close: unknown }
/** Values of nft's types, which the types check themselves (NFT_VALUE). */
type Values = 'elements' | 'keys'

/** The place `K` if a word stands there, and those inside. */
type At<K extends string, V, Depth extends unknown[]> =
  | ([Words<V>] extends [never] ? never : K)
  | (V extends Whole | Closable ? never : V extends object ? `${K}.${Inside<V, Depth>}` : never)

type Inside<V, Depth extends unknown[] = []> = Depth['length'] extends 5
  ? never
  : V extends readonly unknown[]
    ? number extends V['length']
      ? At<'0', V[number], [...Depth, 0]>
      : { [I in Extract<keyof V, `${number}`>]: At<I, Exclude<V[I], undefined>, [...Depth, 0]> }[Extract<
          keyof V,
          `${number}`
        >]
    : V extends unknown
      ? {
          [K in Exclude<keyof V & string, Values>]-?: At<K, Exclude<V[K], undefined>, [...Depth, 0]>
        }[Exclude<keyof V & string, Values>]
      : never

type Arguments<F> = F extends (...args: infer A) => unknown ? Required<A> : never
/** For each place where a call takes one of some words: arguments that have such a word there. */
export type Samples<F> = {
  readonly [P in Inside<Arguments<F>>]: Readonly<F extends (...args: infer A) => unknown ? A : never>
}
/** The same of each function of a module, or method of a class, that takes words. */
export type SamplesOf<M> = {
  readonly [K in keyof M & string as [Inside<Arguments<M[K]>>] extends [never] ? never : K]: Samples<M[K]>
}

/** What a caller without a compiler may write instead. Two of them are names that every object has. */
const unknown = ['no-such-word', 'toString', '__proto__', '']
const codes = ['BAD_ARGUMENT', 'NETLINK_ENCODE', 'NFT_VALUE', 'NFT_CHAIN']

interface Tried {
  /** Makes the call. See {@link unsent}. */
  call(args: readonly unknown[]): Promise<void>
  readonly name: string
}

/** What is wrong with the answers to unknown words: each has to be refused in a sentence, and nothing sent. */
export async function takenWords(
  { name, call }: Tried,
  samples: Readonly<Record<string, readonly unknown[]>>,
): Promise<string[]> {
  const failures: string[] = []
  for (const [place, args] of Object.entries(samples)) {
    const right = await refusalOf(() => call(args))
    if (right !== undefined) failures.push(`${name} as it should be: ${right.message}`)
    for (const word of unknown) {
      const wrong = replaced(args, place.split('.'), word) as unknown[]
      const fault = faultOf(await refusalOf(() => call(wrong)), { place, known: wordAt(args, place) })
      if (fault !== undefined) failures.push(`${name} with ${place} = '${word}': ${fault}`)
    }
  }
  return failures
}

class Sent extends Error {}

async function refusalOf(call: () => Promise<void>): Promise<Error | undefined> {
  try {
    await call()
    return undefined
  } catch (refusal) {
    return refusal as Error
  }
}

interface Expected {
  readonly place: string
  /** A word that would be right. */
  readonly known: string
}

function faultOf(refusal: Error | undefined, { place, known }: Expected): string | undefined {
  if (refusal === undefined) return 'it is taken'
  if (refusal instanceof Sent || !(refusal instanceof XclusterError)) return `${refusal}`
  const { code, message } = refusal
  if (!codes.includes(code)) return `${code}: ${message}`
  const part = place.split('.').findLast(name => !/^\d+$/.test(name)) ?? ''
  if (!message.includes(part)) return `${part} is not named: ${message}`
  return message.includes(known) ? undefined : `what is possible is not said: ${message}`
}

/** Makes a call. A refusal after something was sent is a fault. */
export async function unsent(call: () => unknown, sent: () => number): Promise<void> {
  try {
    await call()
  } catch (refusal) {
    if (sent() > 0) throw new Sent(`${sent()} messages were sent before: ${refusal}`)
    throw refusal
  }
}

function wordAt(args: readonly unknown[], place: string): string {
  const at = (value: unknown, name: string) => (value as Readonly<Record<string, unknown>>)[name]
  const word = place.split('.').reduce<unknown>(at, args)
  if (typeof word !== 'string') throw new TypeError(`there is no word at ${place}`)
  return word
}
