import { CommanderError } from 'commander'
import type { OwnerAhead } from '../owner/index.ts'
import type { CommandEntry } from './command.ts'
import { commands as builtIn } from './commands.ts'
import { CliError, statusOf } from './errors.ts'
import { findHook } from './hooks/find.ts'
import { normalized } from './options/argv.ts'
import { exitFlushed, report, watchOutput } from './output.ts'
import { programOf } from './program.ts'
import { openSession, type Session } from './session.ts'
import { tidy } from './sweep.ts'
import { traceAsTold } from './trace.ts'

/** Runs `xc` with this process's arguments and environment, and ends the process. */
export async function main(ahead?: OwnerAhead): Promise<void> {
  watchOutput()
  const argv = normalized(process.argv.slice(2))
  await exitFlushed(await run(argv, openSession(process.env, { argv, ahead })))
}

async function run(argv: readonly string[], session: Session): Promise<number> {
  let commands = builtIn
  try {
    traceAsTold(session.env)
    const hooked = await withHookOf(session)
    commands = hooked.commands
    await programOf(hooked.session, commands).parseAsync(commandFirst(argv, commands), { from: 'user' })
    await tidy(session)
    return Number(process.exitCode ?? 0)
  } catch (failure) {
    if (failure instanceof CommanderError) return commanderStatus(failure, argv, commands)
    await tidy(session).catch(() => {}) // the failure of the command matters more
    const before = argv.includes('--') ? argv.slice(0, argv.indexOf('--')) : argv
    report(failure, before.includes('--debug'))
    return statusOf(failure)
  }
}

/** The session and the commands with the hook of the working directory, or of XCLUSTER_HOOK, if there is one. */
async function withHookOf(
  session: Session,
): Promise<{ session: Session; commands: readonly CommandEntry[] }> {
  const file = findHook(session.env, process.cwd())
  if (file === undefined) return { session, commands: builtIn }
  const { openHook } = await import('./hooks/open.ts')
  return await openHook(file, session, builtIn)
}

/** An unknown command is refused whatever follows: commander would print its own help for `xc nope --help`. */
function commandFirst(argv: readonly string[], commands: readonly CommandEntry[]): string[] {
  const [first = ''] = argv
  const isKnown = first.startsWith('-') || commands.some(({ name, alias }) => [name, alias].includes(first))
  return isKnown ? [...argv] : argv.slice(0, 1)
}

/** Help and version are not errors. What commander refuses is reported like other errors of `xc`. */
function commanderStatus(
  { code, message }: CommanderError,
  argv: readonly string[],
  commands: readonly CommandEntry[],
): number {
  if (code === 'commander.helpDisplayed' || code === 'commander.version') return 0
  if (code === 'commander.help') return 2
  const command = commands.find(({ name, alias }) => name === argv[0] || alias === argv[0])
  const [what = '', hint = ''] = message.replace(/^error: /, '').split('\n')
  const failure = new CliError({
    code: 'BAD_USAGE',
    kind: 'usage',
    reason: [what, hint].filter(Boolean).join(' '),
    remedy: remedyFor(code, command?.name),
  })
  report(failure)
  return statusOf(failure)
}

function remedyFor(code: string, command: string | undefined): string {
  if (command === 'exec' && code === 'commander.unknownOption')
    return 'The command with its options comes after --: xc exec NODE -- COMMAND'
  return `See: xc ${command ? `${command} ` : ''}--help`
}
