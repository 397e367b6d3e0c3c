import type { ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { z } from 'zod'
import { isStream, nodeIn, type StreamKind, type Verb, type VerbTable, verbs } from '../../api/index.ts'
import type { Owner } from '../owner.ts'
import { questionOf } from './questions.ts'
import * as schemas from './schemas.ts'
import { type Implementations, implementations } from './verbs.ts'

/** The parameters of a request: the node in its path, and the values that its schema has accepted. */
export interface Asked {
  readonly id: string
  readonly question: object
}

/** A verb in the API. `serve` registers it and `openapi.json` describes it. */
export interface Route {
  readonly verb: Verb
  /** The schema of its body, or of the query of a GET; undefined without parameters. */
  readonly question: z.ZodType | undefined
  /** The schema of its JSON value, or the kind of stream. */
  readonly answer: z.ZodType | StreamKind
  /** Returns the answer. A stream is written to `peer` instead. */
  handle(owner: Owner, asked: Asked, peer: ServerResponse | Duplex): unknown
}

/** The routes of a table of verbs. */
export function routesOf<T extends VerbTable>(table: T, implemented: Implementations<T>): Route[] {
  return Object.entries<Verb>(table).map(([name, verb]) => {
    const node = nodeIn(verb.asks)
    const implementation = implemented[name] as unknown as Untyped
    return {
      verb,
      question: questionOf(verb),
      answer: isStream(verb.answer) ? verb.answer : schemas.answers[verb.answer],
      handle(owner, { id, question }, peer) {
        const all = node === undefined ? question : { ...question, [node]: id }
        return implementation(owner, all, peer)
      },
    }
  })
}

/** The types are safe to drop: schema and `AskedOf` follow from the same description. */
type Untyped = (owner: Owner, asked: object, peer: ServerResponse | Duplex) => unknown

/** The routes of the owner's API. */
export const routes: readonly Route[] = routesOf(verbs, implementations)
