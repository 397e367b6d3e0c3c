import type { Command } from 'commander'
import type { AskedOf, Flag, JsonAnswers, Parameter, Verb } from '../api/index.ts'
import { nodeName } from '../base/index.ts'
import { nameOption, timeoutOption } from './options/shared.ts'
import { print, printJson, tell } from './output.ts'
import { type CommonOptions, clientOf, type Session } from './session.ts'
import { clusterTable } from './view/cluster.ts'
import { reachText } from './view/reach.ts'

/** How an answer is shown to people. */
const views = { status: clusterTable, reachReport: reachText } satisfies {
  readonly [Kind in keyof JsonAnswers]?: (answer: JsonAnswers[Kind]) => string
}

type NodesParameter = Parameter & { readonly kind: 'nodes' | 'newNodes' }

/** A verb whose command can be made from its description: its parameters have a spelling, its answer a view. */
export interface PlainVerb extends Verb {
  readonly asks: Readonly<Record<string, NodesParameter | Flag>>
  readonly answer: keyof typeof views
}

/** Gives a command the arguments and options of a verb, and what it does. */
export function configureVerb(command: Command, session: Session, verb: PlainVerb): void {
  const { asks, said, help } = verb
  for (const [name, parameter] of Object.entries(asks)) addArgument(command, name, parameter)
  command
    .option(...nameOption)
    .option('--json', said ? 'print the cluster as it is then, as `xc status --json`' : jsonText)
    .option(...timeoutOption)
  for (const [name, parameter] of Object.entries(asks)) addFlag(command, name, parameter)
  if (help) command.addHelpText('after', `\n${help}`)
  command.action(() => run(command, session, verb))
}

const jsonText = 'print one JSON value (docs/json.md)'

/** Nodes are the arguments of a command. */
function addArgument(command: Command, name: string, parameter: NodesParameter | Flag): void {
  if (parameter.kind === 'flag') return
  command.argument(parameter.optional ? `[${name}...]` : `<${name}...>`, parameter.doc)
}

/** A flag is spelled as what it usually is not: `wait` as `--no-wait`. */
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

/** The question, as it was typed. */
function askedIn(command: Command, { asks }: PlainVerb): AskedOf<PlainVerb> {
  const options = command.opts()
  const nodes = nodesIn(command)
  const values = Object.entries(asks).map(([name, { kind }]) => [
    name,
    kind === 'flag' ? options[name] : nodes,
  ])
  return Object.fromEntries(values)
}

/** Undefined when none was typed: all. */
function nodesIn(command: Command): readonly string[] | undefined {
  const [typed = []] = command.processedArgs as [string[]?]
  return typed.length === 0 ? undefined : typed
}

/** `Paused: vm-001, vm-002.` A command that is not about nodes names none. */
function sentence({ done, begun = done }: Said, command: Command, waited: boolean): string {
  const nodes = nodesIn(command)?.map(named).join(', ') ?? 'all nodes'
  const about = command.registeredArguments.length > 0 ? `: ${nodes}` : ''
  return `${waited ? done : begun}${about}.`
}

type Said = NonNullable<Verb['said']>

/** `3` is vm-003. */
function named(node: string): string {
  return /^\d+$/.test(node) ? nodeName(Number(node)) : node
}
