/** The kinds of parameters, and what each is in the JSON of a question. */
export interface ParameterValues {
  /** A node that is there, `1` or `vm-001`. It stands in the path of the request, not in its JSON. */
  readonly node: string
  /** Nodes that are there. */
  readonly nodes: readonly (string | number)[]
  /** Numbers of nodes that are not there yet. */
  readonly newNodes: readonly (string | number)[]
  readonly flag: boolean
  readonly words: readonly string[]
  readonly base64: string
  readonly milliseconds: number
}

export type ParameterKind = keyof ParameterValues

interface Described<K extends ParameterKind> {
  readonly kind: K
  /** What help and the API's description say of it. */
  readonly doc: string
  readonly optional?: true
}

/** Its `doc` says what comes of the value that it usually has not. */
export interface Flag extends Described<'flag'> {
  readonly usually: boolean
  readonly optional: true
}

/** One parameter of a verb. */
export type Parameter = Flag | Described<Exclude<ParameterKind, 'flag'>>

export type Parameters = Readonly<Record<string, Parameter>>

/** What a question of these parameters says: their static type, from the same lines. */
export type QuestionOf<P extends Parameters> = {
  readonly [Name in keyof P as P[Name] extends { optional: true } ? never : Name]: ValueOf<P[Name]>
} & {
  readonly [Name in keyof P as P[Name] extends { optional: true } ? Name : never]?:
    | ValueOf<P[Name]>
    | undefined
}

type ValueOf<P extends Parameter> = ParameterValues[P['kind']]
