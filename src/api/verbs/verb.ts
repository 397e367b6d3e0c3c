import type { ExecJson } from '../exec.ts'
import type { DnsFaults, OwnNames } from '../names.ts'
import type {
  Applied,
  Captures,
  Counters,
  Frozen,
  ImpairedLinks,
  ReachReport,
  Status,
  Stopped,
  VerifyReport,
} from '../values.ts'
import type { Parameters, QuestionOf } from './parameter.ts'

/** The types of the JSON answers, by kind. */
export interface JsonAnswers {
  readonly status: Status
  readonly reachReport: ReachReport
  readonly verifyReport: VerifyReport
  readonly stopped: Stopped
  readonly frozen: Frozen
  readonly captures: Captures
  readonly counters: Counters
  readonly impairedLinks: ImpairedLinks
  readonly applied: Applied
  readonly exec: ExecJson
  readonly names: OwnNames
  readonly dnsFaults: DnsFaults
}

/** A streamed answer: text as it is written, events as they happen, or bytes in both directions after an upgrade. */
export type StreamKind = 'text' | 'events' | 'upgrade'

const streams: readonly string[] = ['text', 'events', 'upgrade'] satisfies StreamKind[]

export function isStream(answer: AnswerKind): answer is StreamKind {
  return streams.includes(answer)
}

type AnswerKind = keyof JsonAnswers | StreamKind

/** The description of a verb, an operation of a running cluster. */
export interface Description {
  /** What it does, in a few words that begin with a verb. The list of commands and the OpenAPI document show it. */
  readonly summary: string
  /** Another name of its command, from the original xcluster. */
  readonly alias?: string
  /** Details, at the end of the command's help and in the OpenAPI document. */
  readonly help?: string
  /** Default: POST. A GET has its parameters in the query. */
  readonly method?: 'GET'
  readonly asks: Parameters
  readonly answer: AnswerKind
  /** What `xc` prints, followed by the names of the nodes if any: when it is done, or has begun (`--no-wait`). */
  readonly said?: { readonly done: string; readonly begun?: string }
  /** Its error codes, besides those that any request can have. docs/errors.md has a row for each. */
  readonly errors: readonly string[]
  /** Clients of other versions may use it too. */
  readonly anyVersion?: true
}

/** A description with its name, and with its method and path in the API. */
export interface Verb extends Omit<Description, 'method'> {
  readonly name: string
  readonly method: 'GET' | 'POST'
  /** In fastify's spelling: `/v1/pause`, `/v1/nodes/:id/exec`. */
  readonly path: string
}

export type VerbTable = Readonly<Record<string, Verb>>

/** The parameters of a request for a verb. */
export type AskedOf<V extends Verb> = QuestionOf<V['asks']>

/** Its answer, if that is JSON. */
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

/** `name-add` for `nameAdd`: its spelling in paths and commands. */
export function dashed(name: string): string {
  return name.replace(/[A-Z]/g, letter => `-${letter.toLowerCase()}`)
}

/** Gives each description its name and path: `nameAdd` becomes `POST /v1/name-add`. */
export function verbTable<const T extends Readonly<Record<string, Description>>>(descriptions: T): Named<T> {
  const verbs = Object.entries(descriptions).map(([name, description]) => {
    const { method = 'POST', asks } = description
    const path = nodeIn(asks) === undefined ? `/v1/${dashed(name)}` : `/v1/nodes/:id/${dashed(name)}`
    return [name, { ...description, name, method, path }]
  })
  return Object.fromEntries(verbs) as Named<T>
}

/** The protocol in the `Upgrade` header of a verb that answers with an upgrade. */
export function upgradeProtocol({ name }: Pick<Verb, 'name'>): string {
  return `xcluster-${name}`
}

/** The header of a capture's upgrade: the links that the host cannot see, with commas. */
export const unseenHeader = 'xcluster-unseen'

/** The header of a console's upgrade: whether this connection may type. */
export const consoleHeader = 'xcluster-console'
export type ConsoleRole = 'writer' | 'viewer'

/** The name of the parameter that is in the path; undefined if there is none. */
export function nodeIn(parameters: Parameters): string | undefined {
  return Object.keys(parameters).find(name => parameters[name]!.kind === 'node')
}

/** What can be asked of a link. */
export const impairment = {
  direction: {
    kind: 'text',
    doc: 'sent (default), received, or both: the packets that it concerns',
    optional: true,
    option: true,
  },
  delayMs: { kind: 'milliseconds', doc: 'delay each packet', optional: true, option: true },
  jitterMs: { kind: 'milliseconds', doc: 'let delays differ by up to this', optional: true, option: true },
  loss: { kind: 'share', doc: 'lose this share of packets: 0.01', optional: true, option: true },
  duplicate: { kind: 'share', doc: 'send this share twice', optional: true, option: true },
  reorder: {
    kind: 'share',
    doc: 'send this share at once, ahead of what waits',
    optional: true,
    option: true,
  },
  corrupt: { kind: 'share', doc: 'flip a bit in this share', optional: true, option: true },
  rate: { kind: 'count', doc: 'bits a second', optional: true, option: true },
  seed: {
    kind: 'count',
    doc: 'the same seed chooses the same packets (Linux 6.7)',
    optional: true,
    option: true,
  },
  down: {
    kind: 'flag',
    usually: false,
    doc: 'take the cable out: the guest sees no carrier',
    optional: true,
  },
  partition: { kind: 'flag', usually: false, doc: 'let nothing pass, unseen by the guest', optional: true },
} as const
