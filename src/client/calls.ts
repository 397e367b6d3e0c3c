import {
  type AnswerOf,
  type AskedOf,
  isStream,
  type JsonAnswers,
  nodeIn,
  type StreamKind,
  type Verb,
  type VerbTable,
} from '../api/index.ts'
import { gone } from './process.ts'
import { type Ask, askJson } from './request.ts'
import type { Target } from './watched.ts'

/** Sends a verb to an owner and resolves with the answer. `stop` and `freeze` resolve when the owner's process has ended. */
export async function call<V extends Verb>(target: Target, verb: V, asked: AskedOf<V>): Promise<AnswerOf<V>> {
  const { anyVersion = false } = verb
  const answer = await askJson<AnswerOf<V>>(target, { ...requestOf(verb, asked), anyVersion })
  const ending = endingOwner(verb, answer)
  if (ending !== undefined) await gone(ending)
  return answer
}

/** The process of an owner that ends right after this answer. */
function endingOwner({ answer: kind }: Verb, answer: object): number | undefined {
  if (kind === 'stopped') return (answer as JsonAnswers['stopped']).owner.pid
  if (kind !== 'frozen') return undefined
  const { kept, owner } = answer as JsonAnswers['frozen']
  return kept ? undefined : owner.pid
}

/** The request for a verb: the node in its path, the rest in its body, or in the query of a GET. */
export function requestOf(verb: Verb, asked: object): Pick<Ask, 'method' | 'path' | 'body'> {
  const { method, asks } = verb
  const node = nodeIn(asks)
  const { [node ?? '']: id, ...rest } = asked as Record<string, unknown>
  const path = verb.path.replace(':id', () => encodeURIComponent(String(id)))
  if (method === 'GET') return { method, path: `${path}${queryOf(rest)}` }
  const isAsked = Object.keys(asks).some(name => name !== node)
  return { method, path, ...(isAsked && { body: rest }) }
}

/** A query has flags, as 0 and 1, text, times and other numbers, and lists of words with commas. */
function queryOf(parameters: Readonly<Record<string, unknown>>): string {
  const given = Object.entries(parameters).filter(([, value]) => value !== undefined)
  const query = given.map(([name, value]) => {
    const text = typeof value === 'boolean' ? `${value ? 1 : 0}` : String(value)
    return `${name}=${encodeURIComponent(text)}`
  })
  return query.length === 0 ? '' : `?${query.join('&')}`
}

/** A method for each verb of the whole cluster that answers in JSON: `pause({ nodes: ['1'] })`. */
export type Calls<T extends VerbTable> = {
  readonly [Name in keyof T as IsCall<T[Name]> extends true ? Name : never]: (
    ...asked: ArgumentsOf<T[Name]>
  ) => Promise<AnswerOf<T[Name]>>
}

type IsCall<V extends Verb> = V['answer'] extends StreamKind
  ? false
  : 'node' extends V['asks'][keyof V['asks']]['kind']
    ? false
    : true

type ArgumentsOf<V extends Verb> = keyof V['asks'] extends never
  ? []
  : object extends AskedOf<V>
    ? [asked?: AskedOf<V>]
    : [asked: AskedOf<V>]

/** What those methods use. */
export interface Caller {
  /** Sends a verb with its parameters. */
  call<V extends Verb>(verb: V, asked: AskedOf<V>): Promise<AnswerOf<V>>
}

/** A base class with those methods, made from the table. The class that extends it implements `call`. */
export function callsOf<T extends VerbTable>(table: T): abstract new () => Calls<T> & Caller {
  const isCall = ({ answer, asks }: Verb) => !isStream(answer) && nodeIn(asks) === undefined
  const methods = Object.values<Verb>(table)
    .filter(isCall)
    .map(verb => [verb.name, { value: methodFor(verb) }])
  abstract class OfTable {}
  Object.defineProperties(OfTable.prototype, Object.fromEntries(methods))
  return OfTable as abstract new () => Calls<T> & Caller
}

function methodFor(verb: Verb) {
  return function (this: Caller, asked: AskedOf<Verb> = {}) {
    return this.call(verb, asked)
  }
}
