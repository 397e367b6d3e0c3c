import type { Command } from 'commander'
import type { AskedOf, Flag, JsonAnswers, Parameter, Verb } from '../api/index.ts'
import { nodeName } from '../base/index.ts'
import { nameOption, timeoutOption } from './options/shared.ts'
import { print, printJson, tell } from './output.ts'
import { type CommonOptions, clientOf, type Session } from './session.ts'
import { clusterTable } from './view/cluster.ts'
import { reachText } from './view/reach.ts'

/** The text for each kind of answer. */
const views = { status: clusterTable, reachReport: reachText } satisfies {
  readonly [Kind in keyof JsonAnswers]?: (answer: JsonAnswers[Kind]) => string
}

type NodesParameter = Parameter & { readonly kind: 'nodes' | 'newNodes' }

/** A verb whose command follows from its description: its parameters can be typed, and its answer has a view. */
export interface PlainVerb extends Verb {
  readonly asks: Readonly<Record<string, NodesParameter | Flag>>
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
  for (const [name, parameter] of Object.entries(asks)) addFlag(command, name, parameter)
  if (help) command.addHelpText('after', `\n${help}`)
  command.action(() => run(command, session, verb))
}

const jsonText = 'print one JSON value (docs/json.md)'

/** The arguments of such a command are nodes. */
function addArgument(command: Command, name: string, parameter: NodesParameter | Flag): void {
  if (parameter.kind === 'flag') return
  command.argument(parameter.optional ? `[${name}...]` : `<${name}...>`, parameter.doc)
}

/** The option sets the value that is not the usual one: `wait` has `--no-wait`. */
function addFlag(command: Command, name: string, parameter: NodesParameter | Flag): void {
  if (parameter.kind !== 'flag') return
  const dashed = name.replace(/[A-Z]/g, letter => `-${letter.toLowerCase()}`)
  command.option(`--${parameter.usually ? 'no-' : ''}${dashed}`, parameter.doc)
}

async function run(command: Command, session: Session, verb: PlainVerb): Promise<void> {
  const options: CommonOptions = command.opts()
  const asked = askedIn(command, verb)
  const answer = await clientOf(session, options).call(verb, asked)
  if (options.json) printJson(answer)
  else if (verb.said) tell(sentence(verb.said, command, asked.wait !== false))
  else print(views[verb.answer](answer as never))
  if ('ok' in answer && !answer.ok) process.exitCode = 1
}

/** The parameters, as typed. */
function askedIn(command: Command, { asks }: PlainVerb): AskedOf<PlainVerb> {
  const options = command.opts()
  const nodes = nodesIn(command)
  const values = Object.entries(asks).map(([name, { kind }]) => [
    name,
    kind === 'flag' ? options[name] : nodes,
  ])
  return Object.fromEntries(values)
}

/** Undefined when none was typed, which means all. */
function nodesIn(command: Command): readonly string[] | undefined {
  const [typed = []] = command.processedArgs as [string[]?]
  return typed.length === 0 ? undefined : typed
}

/** `Paused: vm-001, vm-002.` A command without node arguments names none. */
function sentence({ done, begun = done }: Said, command: Command, waited: boolean): string {
  const nodes = nodesIn(command)?.map(named).join(', ') ?? 'all nodes'
  const about = command.registeredArguments.length > 0 ? `: ${nodes}` : ''
  return `${waited ? done : begun}${about}.`
}

type Said = NonNullable<Verb['said']>

/** `vm-003` for `3`. */
function named(node: string): string {
  return /^\d+$/.test(node) ? nodeName(Number(node)) : node
}
