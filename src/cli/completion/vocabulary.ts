import type { Argument, Command, Option } from 'commander'
import { roleKeys, settingOf, topologies } from '../../plan/index.ts'
import type { CommandEntry } from '../command.ts'

/** The words that can follow a command, from commander's definitions and the descriptions of verbs. */
export interface CommandWords {
  readonly name: string
  readonly alias: string | undefined
  readonly summary: string
  readonly options: readonly OptionWords[]
  /** Its subcommands, as `xc cache` has. */
  readonly commands: readonly CommandWords[]
  /** The possible first argument (`nodes`: every argument); undefined when not known. */
  readonly argument: 'node' | 'nodes' | readonly string[] | undefined
}

interface OptionWords {
  /** `-f` and `--follow`. */
  readonly spellings: readonly string[]
  readonly summary: string
  /** The value that it requires. */
  readonly value?: Value
}

/** The name of a running cluster, a path, one of a few words, or anything. */
export type Value = 'cluster' | 'path' | 'anything' | readonly string[]

/** The words of a command. It and its subcommands must have been configured. */
export function wordsOf(command: Command, entries: readonly CommandEntry[]): CommandWords {
  const entry = entries.find(({ name }) => name === command.name())
  return {
    name: command.name(),
    alias: command.alias(),
    summary: command.summary() || command.description(),
    options: [...command.createHelp().visibleOptions(command), ...command.options.filter(isOfRole)].map(
      optionWords,
    ),
    commands: command.commands.map(sub => wordsOf(sub, command.parent ? [] : entries)),
    argument: argumentWords(entry, command.registeredArguments),
  }
}

/** The help has one sentence about these. */
function isOfRole(option: Option): boolean {
  return roleKeys.includes(option.attributeName())
}

function argumentWords(
  entry: CommandEntry | undefined,
  [first]: readonly Argument[],
): CommandWords['argument'] {
  const asks = Object.values(entry?.verb?.asks ?? {}).filter(({ option }) => !option)
  const kinds = asks.map(({ kind }) => kind)
  if (kinds.includes('node')) return 'node'
  if (kinds.includes('nodes')) return 'nodes'
  return first?.argChoices
}

function optionWords(option: Option): OptionWords {
  const { short, long, description: summary, required } = option
  const spellings = [short, long].filter(spelling => spelling !== undefined)
  return { spellings, summary, ...(required && { value: valueAfter(option) }) }
}

/** From the setting of that name, or from the placeholder in the help: `<cluster>`, `<file>`. */
function valueAfter(option: Option): Value {
  const key = option.attributeName()
  if (key === 'topology') return topologies.map(({ name }) => name)
  const { kind } = settingOf(key) ?? {}
  const [, placeholder] = /<([^>]+)>/.exec(option.flags) ?? []
  if (placeholder === 'cluster') return 'cluster'
  if (kind?.words) return kind.words
  return placeholder === 'file' ? 'path' : 'anything'
}
