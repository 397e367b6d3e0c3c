import type { ExecJson } from '../exec.ts'
import type { ReachReport, Status, Stopped } from '../values.ts'
import type { Parameters, QuestionOf } from './parameter.ts'

/** The JSON answers, by their kinds. */
export interface JsonAnswers {
  readonly status: Status
  readonly reachReport: ReachReport
  readonly stopped: Stopped
  readonly exec: ExecJson
}

/** An answer that goes on: text as it grows, events as they happen, or bytes both ways after an upgrade. */
export type StreamKind = 'text' | 'events' | 'upgrade'

const streams: readonly string[] = ['text', 'events', 'upgrade'] satisfies StreamKind[]

export function isStream(answer: AnswerKind): answer is StreamKind {
  return streams.includes(answer)
}

type AnswerKind = keyof JsonAnswers | StreamKind

/** All that is said of a verb: what a running cluster can be asked to do. */
export interface Description {
  /** What it does, in a few words that begin with a verb: the list of commands, and the API's description. */
  readonly summary: string
  /** What else there is to know. The help of a command that is made from this ends with it. */
  readonly help?: string
  /** POST when left out. The parameters of a GET stand in its query. */
  readonly method?: 'GET'
  readonly asks: Parameters
  readonly answer: AnswerKind
  /** What `xc` says, before the names of nodes if it is about some: when it is done, or has begun (`--no-wait`). */
  readonly said?: { readonly done: string; readonly begun?: string }
  /** Codes that it answers with besides those of any request; docs/errors.md has a row for each. */
  readonly errors: readonly string[]
  /** Clients of other versions may ask it too. */
  readonly anyVersion?: true
}

/** A description with its name, and where that puts it in the API. */
export interface Verb extends Omit<Description, 'method'> {
  readonly name: string
  readonly method: 'GET' | 'POST'
  /** In fastify's spelling: `/v1/pause`, `/v1/nodes/:id/exec`. */
  readonly path: string
}

export type VerbTable = Readonly<Record<string, Verb>>

/** What a verb is asked. */
export type AskedOf<V extends Verb> = QuestionOf<V['asks']>

/** What it answers in JSON. */
export type AnswerOf<V extends Verb> = V['answer'] extends keyof JsonAnswers
  ? JsonAnswers[V['answer']]
  : never

type Named<T extends Readonly<Record<string, Description>>> = {
  readonly [Name in keyof T]: T[Name] & {
    readonly name: Name & string
    readonly method: 'GET' | 'POST'
    readonly path: string
  }
}

/** Verbs by their names, which say where each is in the API: `pause` is `POST /v1/pause`. */
export function verbTable<const T extends Readonly<Record<string, Description>>>(descriptions: T): Named<T> {
  const verbs = Object.entries(descriptions).map(([name, description]) => {
    const { method = 'POST', asks } = description
    const path = nodeIn(asks) === undefined ? `/v1/${name}` : `/v1/nodes/:id/${name}`
    return [name, { ...description, name, method, path }]
  })
  return Object.fromEntries(verbs) as Named<T>
}

/** What the `Upgrade` header names for a verb that answers with one. */
export function upgradeProtocol({ name }: Pick<Verb, 'name'>): string {
  return `xcluster-${name}`
}

/** The name of the parameter that stands in the path; undefined where none does. */
export function nodeIn(parameters: Parameters): string | undefined {
  return Object.keys(parameters).find(name => parameters[name]!.kind === 'node')
}
