import { type Command, CommanderError, Option } from 'commander'
import type { CommandEntry, CommandFile } from '../command.ts'
import { clientOf, type Session } from '../session.ts'
import { badShape, hookFailed } from './errors.ts'
import type { Hook } from './load.ts'
import type { HookCommand, HookContext, HookReplacement } from './types.ts'
import { wordsOf } from './words.ts'

/** Runs a command line of `xc` without the hook, and resolves with its exit status. */
export type RunBuiltIn = (argv: readonly string[], session: Session) => Promise<number>

/** The commands of `xc` with those of its hook. Throws HOOK_SHAPE for a name that does not fit. */
export function withHook(
  commands: readonly CommandEntry[],
  hook: Hook,
  run: RunBuiltIn,
): readonly CommandEntry[] {
  const { file, config } = hook
  const known = new Set(['help', ...commands.flatMap(({ name, alias }) => (alias ? [name, alias] : [name]))])
  const find = (asked: string, at: string) => {
    const found = commands.find(({ name, alias }) => [name, alias].includes(dashed(asked)))
    if (found) return found
    throw badShape(file, `${at}: xc has no command '${asked}'`)
  }
  const added = Object.entries(config.commands ?? {}).map(([name, own]) => {
    if (known.has(dashed(name))) throw taken(file, name)
    known.add(dashed(name))
    const like = own.like === undefined ? undefined : find(own.like, `commands.${name}.like`)
    return entryOf({ hook, run, like, name: dashed(name), own })
  })
  const replaced = new Map(
    Object.entries(config.replace ?? {}).map(([name, given]) => {
      const like = find(name, `replace.${name}`)
      const own = typeof given === 'function' ? { run: given } : given
      return [like.name, entryOf({ hook, run, like, name: like.name, own })]
    }),
  )
  return [...commands.map(entry => replaced.get(entry.name) ?? entry), ...added]
}

interface HookEntry {
  readonly hook: Hook
  readonly run: RunBuiltIn
  /** The command whose arguments and options it has. */
  readonly like: CommandEntry | undefined
  readonly name: string
  readonly own: HookReplacement & Partial<HookCommand>
}

function entryOf(entry: HookEntry): CommandEntry {
  const { like, name, own } = entry
  return {
    name,
    ...(name === like?.name && like.alias && { alias: like.alias }),
    ...(like?.verb && { verb: like.verb }),
    summary: own.summary ?? like!.summary,
    async load(): Promise<CommandFile> {
      const original = await like?.load()
      return {
        configure(command, session, all) {
          original?.configure(command, session, all)
          configureHook(command, session, entry)
        },
      }
    },
  }
}

function configureHook(command: Command, session: Session, entry: HookEntry): void {
  const { hook, name, own } = entry
  const options = Object.entries(own.options ?? {}).map(([flags, doc]) => new Option(flags, doc))
  try {
    if (own.arguments !== undefined) command.arguments(own.arguments)
    for (const option of options) command.addOption(option)
  } catch (failure) {
    throw badShape(hook.file, `command ${name}: ${(failure as Error).message.replace(/\s+/g, ' ')}`)
  }
  command.action(async () => {
    const context = contextOf(command, session, { entry, options })
    process.exitCode = 0
    const status = await ranBy(hook.file, name, () => own.run(context))
    if (status !== undefined) process.exitCode = status
  })
}

async function ranBy(file: string, name: string, work: () => unknown): Promise<number | undefined> {
  let status: unknown
  try {
    status = await work()
  } catch (failure) {
    throw failure instanceof CommanderError ? failure : hookFailed(file, `command ${name}`, failure)
  }
  if (status === undefined || (Number.isInteger(status) && Number(status) >= 0 && Number(status) <= 255))
    return status as number | undefined
  throw badShape(file, `command ${name} returned ${JSON.stringify(status)}, and an exit status is 0 to 255`)
}

function contextOf(
  command: Command,
  session: Session,
  { entry, options }: { readonly entry: HookEntry; readonly options: readonly Option[] },
): HookContext {
  const argv = wordsOf(command, options)
  const env: Record<string, string | undefined> = { ...session.env }
  const run = (name: string, words: readonly string[] = []) =>
    entry.run([name, ...words], { ...session, env })
  const values = command.opts()
  return {
    argv,
    args: command.args,
    options: Object.fromEntries(
      options.map(option => [option.attributeName(), values[option.attributeName()]]),
    ),
    env,
    run,
    original(words = argv) {
      if (entry.like) return run(entry.like.name, words)
      throw badShape(entry.hook.file, `command ${entry.name} has no original: give it one with like`)
    },
    cluster: name => clientOf({ ...session, env }, { ...values, ...(name !== undefined && { name }) }),
  }
}

const dashed = (name: string): string => name.replaceAll('_', '-')

function taken(file: string, name: string) {
  return badShape(file, `commands.${name}: there is a command '${dashed(name)}' already. Name it in replace`)
}
