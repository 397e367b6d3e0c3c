import { type Command, Option } from 'commander'
import {
  type AskedOf,
  dashed,
  type Flag,
  type JsonAnswers,
  type Parameter,
  type ParameterKind,
  type Verb,
} from '../api/index.ts'
import { nodeName } from '../base/index.ts'
import type { Status } from '../client/index.ts'
import { nameOption, timeoutOption } from './options/shared.ts'
import { print, printJson, tell } from './output.ts'
import { type CommonOptions, clientOf, type Session } from './session.ts'
import { typedValue } from './verb-values.ts'
import { clusterTable, troubles } from './view/cluster.ts'

/** Finds the function that makes the text for each kind of answer. */
const views = {
  status: async () => clusterTable,
  reachReport: async () => (await import('./view/reach.ts')).reachText,
  verifyReport: async () => (await import('./view/reach.ts')).verifyText,
  names: async () => (await import('./view/names.ts')).namesText,
  dnsFaults: async () => (await import('./view/names.ts')).faultsText,
  frozen: async () => (await import('./view/snapshots.ts')).frozenText,
} satisfies {
  readonly [Kind in keyof JsonAnswers]?: () => Promise<(answer: JsonAnswers[Kind]) => string>
}

/** A parameter that can be typed as an argument or an option. */
type TypedParameter = Parameter & {
  readonly kind: Exclude<ParameterKind, 'node' | 'flag' | 'words' | 'base64' | 'topology'>
}

/** A verb whose command follows from its description: its parameters can be typed, and its answer has a view. */
export interface PlainVerb extends Verb {
  readonly asks: Readonly<Record<string, TypedParameter | Flag>>
  readonly answer: keyof typeof views
}

/** Gives a command the arguments, options and action of a verb. */
export function configureVerb(command: Command, session: Session, verb: PlainVerb): void {
  const { asks, said, help } = verb
  for (const [name, parameter] of Object.entries(asks)) addArgument(command, name, parameter)
  command
    .option(...nameOption)
    .option('--json', said ? 'print the resulting status, as `xc status --json` does' : jsonText)
    .option(...timeoutOption)
  for (const [name, parameter] of Object.entries(asks)) addOption(command, name, parameter)
  if (help) command.addHelpText('after', `\n${help}`)
  command.action(() => runVerb(command, session, verb))
}

const jsonText = 'print one JSON value (docs/json.md)'

function addArgument(command: Command, name: string, parameter: TypedParameter | Flag): void {
  if (parameter.kind === 'flag' || parameter.option) return
  const dots = isMany(parameter) ? '...' : ''
  command.argument(parameter.optional ? `[${name}${dots}]` : `<${name}${dots}>`, parameter.doc)
}

/** It takes all arguments that are left. */
function isMany({ kind, rest }: TypedParameter): boolean {
  return rest === true || kind === 'nodes' || kind === 'newNodes'
}

/** A flag's option sets the value that is not the usual one: `wait` has `--no-wait`. */
function addOption(command: Command, name: string, parameter: TypedParameter | Flag): void {
  if (parameter.kind === 'flag')
    command.option(`--${parameter.usually ? 'no-' : ''}${dashed(name)}`, parameter.doc)
  else if (parameter.option) {
    const option = new Option(`--${dashed(name)} <${placeholders[parameter.kind]}>`, parameter.doc)
    command.addOption(option)
  }
}

const placeholders = {
  ...{ nodes: 'nodes', newNodes: 'nodes', text: 'text' },
  ...{ count: 'n', share: 'p', milliseconds: 'ms' },
} as const satisfies Record<TypedParameter['kind'], string>

/** The action of a verb. */
export async function runVerb(command: Command, session: Session, verb: PlainVerb): Promise<void> {
  const options: CommonOptions = command.opts()
  const asked = askedIn(command, verb)
  const answer = await clientOf(session, options).call(verb, asked)
  if (options.json) printJson(answer)
  else if (verb.said)
    tell([sentence(verb.said, command, asked.wait !== false), ...warnings(answer)].join('\n'))
  else {
    const view = await views[verb.answer]()
    print(view(answer as never))
  }
  if ('ok' in answer && !answer.ok) process.exitCode = 1
}

/** The parameters, as typed. Those that were not typed are undefined. */
function askedIn(command: Command, { asks }: PlainVerb): AskedOf<PlainVerb> {
  const options = command.opts()
  const typed = [...command.processedArgs] as (string | string[] | undefined)[]
  const values = Object.entries(asks).map(([name, parameter]) => {
    if (parameter.kind === 'flag') return [name, options[name]]
    const text = parameter.option ? options[name] : typed.shift()
    const option = parameter.option ? `--${dashed(name)}` : name
    return [name, typedValue(option, { text, parameter })]
  })
  return Object.fromEntries(values)
}

/** The nodes among the arguments. Undefined when none was typed, which means all. */
function nodesIn(command: Command): readonly string[] | undefined {
  const [typed = []] = command.processedArgs as [string[]?]
  return typed.length === 0 ? undefined : typed
}

/** Guests that did not answer, though the change is done. */
function warnings(answer: object): string[] {
  const nodes = 'nodes' in answer ? (answer as Status).nodes : []
  const warned = nodes.filter(({ warning }) => warning !== undefined).map(({ reason: _, ...node }) => node)
  return troubles({ nodes: warned }).map(text => `note: ${text.trimEnd()}`)
}

/** `Paused: vm-001, vm-002.` A command without node arguments names none. */
function sentence({ done, begun = done }: Said, command: Command, waited: boolean): string {
  const names = nodesIn(command)?.map(named)
  const nodes = names ? [...new Set(names)].join(', ') : 'all nodes'
  const about = command.registeredArguments.length > 0 ? `: ${nodes}` : ''
  return `${waited ? done : begun}${about}.`
}

type Said = NonNullable<Verb['said']>

/** `vm-003` for `3`. */
function named(node: string): string {
  return /^\d+$/.test(node) ? nodeName(Number(node)) : node
}
