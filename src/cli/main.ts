import { Command, CommanderError } from 'commander'
import { version } from '../base/index.ts'
import type { OwnerAhead } from '../owner/index.ts'
import { commands, configureCommand } from './commands.ts'
import { CliError, explain, statusOf } from './errors.ts'
import { normalized } from './options/argv.ts'
import { exitFlushed, watchOutput } from './output.ts'
import { openSession, type Session } from './session.ts'
import { tidy } from './sweep.ts'
import { traceAsTold } from './trace.ts'

/** Runs `xc` with this process's arguments and environment, and ends the process. */
export async function main(ahead?: OwnerAhead): Promise<void> {
  watchOutput()
  const session = openSession(process.env, ahead)
  await exitFlushed(await run(normalized(process.argv.slice(2)), session))
}

async function run(argv: readonly string[], session: Session): Promise<number> {
  const program = programOf(session)
  try {
    traceAsTold(session.env)
    await program.parseAsync(argv, { from: 'user' })
    await tidy(session)
    return Number(process.exitCode ?? 0)
  } catch (failure) {
    if (failure instanceof CommanderError) return commanderStatus(failure, argv)
    await tidy(session).catch(() => {}) // the failure of the command matters more
    const before = argv.includes('--') ? argv.slice(0, argv.indexOf('--')) : argv
    process.stderr.write(explain(failure, before.includes('--debug')))
    return statusOf(failure)
  }
}

function programOf(session: Session): Command {
  const program = new Command('xc')
    .description('Clusters of QEMU virtual machines for developing and testing network functions.')
    .usage('COMMAND [options]')
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help; after a command, help for that command')
    .helpCommand(false)
    .enablePositionalOptions()
    .showSuggestionAfterError()
    .exitOverride()
    .configureOutput({ outputError: () => {} })
    .addHelpText('after', examples)
  for (const { name, alias, summary } of commands) {
    const command = program.command(name).summary(summary).description(sentence(summary))
    if (alias) command.alias(alias)
  }
  program.hook('preSubcommand', (_, command) => configureCommand(command, session))
  return program
}

function sentence(summary: string): string {
  return `${summary[0]!.toUpperCase()}${summary.slice(1)}.`
}

const examples = `
Examples:
  xc start --ntesters 1          the default cluster with a tester
  xc exec 1 -- ip -br addr       run a command on node 1
  xc vm 201                      connect to the console of router 201; Ctrl-] leaves
  xc stop                        stop the cluster and remove all of it

XCLUSTER_TRACE=netlink,qmp (or all) prints messages to and from the kernel, QEMU, guests and name servers
(docs/tracing.md).

Exit status: 0 done, 1 failed, 2 bad usage, 3 no such cluster or node, 4 this machine lacks something.`

/** Help and version are not errors. What commander refuses is reported like other errors of `xc`. */
function commanderStatus({ code, message }: CommanderError, argv: readonly string[]): number {
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
  process.stderr.write(explain(failure, false))
  return statusOf(failure)
}

function remedyFor(code: string, command: string | undefined): string {
  if (command === 'exec' && code === 'commander.unknownOption')
    return 'The command with its options comes after --: xc exec NODE -- COMMAND'
  return `See: xc ${command ? `${command} ` : ''}--help`
}
