import { Command } from 'commander'
import { version } from '../base/index.ts'
import type { CommandEntry } from './command.ts'
import type { Session } from './session.ts'

/** The program with these commands. Each loads its file when it is used. Errors are thrown, as CommanderError too. */
export function programOf(session: Session, commands: readonly CommandEntry[]): Command {
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
  program.hook('preSubcommand', (_, command) => configureCommand(command, session, commands))
  return program
}

/** Adds arguments, options and action to a command that has only its name and summary. */
export async function configureCommand(
  command: Command,
  session: Session,
  commands: readonly CommandEntry[],
): Promise<void> {
  const { configure } = await commands.find(({ name }) => name === command.name())!.load()
  command.option('--debug', 'print the stack of an error')
  configure(command, session, commands)
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
(docs/tracing.md). XCLUSTER_HOOK names a module that adds and replaces commands (docs/hooks.md).

Exit status: 0 done, 1 failed, 2 bad usage, 3 no such cluster or node, 4 this machine lacks something.`
