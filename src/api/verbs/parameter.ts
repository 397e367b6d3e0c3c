/** The kinds of parameters, with the type of each in the JSON of a request. */
export interface ParameterValues {
  /** An existing node, `1` or `vm-001`. It is in the path of the request, not in its JSON. */
  readonly node: string
  /** Existing nodes. */
  readonly nodes: readonly (string | number)[]
  /** Numbers of nodes that do not exist yet. */
  readonly newNodes: readonly (string | number)[]
  readonly flag: boolean
  readonly words: readonly string[]
  readonly base64: string
  readonly milliseconds: number
  /** One line of text. */
  readonly text: string
  /** A whole number from 0 on. */
  readonly count: number
  /** Above 0 and up to 1. */
  readonly share: number
  /** A topology as a value, with the settings of its file. */
  readonly topology: Readonly<Record<string, unknown>>
}

export type ParameterKind = keyof ParameterValues

interface Described<K extends ParameterKind> {
  readonly kind: K
  /** Its description in the help and in the API. */
  readonly doc: string
  readonly optional?: true
  /** In `xc` it is an option, `--ttl`, not an argument. */
  readonly option?: true
  /** In `xc` it takes all arguments that are left. */
  readonly rest?: true
}

/** Its `doc` describes the effect of the value that is not the usual one. */
export interface Flag extends Described<'flag'> {
  readonly usually: boolean
  readonly optional: true
}

/** One parameter of a verb. */
export type Parameter = Flag | Described<Exclude<ParameterKind, 'flag'>>

export type Parameters = Readonly<Record<string, Parameter>>

/** The static type of a request with these parameters. */
export type QuestionOf<P extends Parameters> = {
  readonly [Name in keyof P as P[Name] extends { optional: true } ? never : Name]: ValueOf<P[Name]>
} & {
  readonly [Name in keyof P as P[Name] extends { optional: true } ? Name : never]?:
    | ValueOf<P[Name]>
    | undefined
}

type ValueOf<P extends Parameter> = ParameterValues[P['kind']]
