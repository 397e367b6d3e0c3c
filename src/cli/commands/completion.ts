import { Argument, type Command } from 'commander'
import { runningClusters } from '../../client/index.ts'
import type { CommandEntry } from '../command.ts'
import { nameOption } from '../options/shared.ts'
import { print, printRaw } from '../output.ts'
import { configureCommand } from '../program.ts'
import { type CommonOptions, clientOf, type Session, trustedPlaces } from '../session.ts'

export function configure(command: Command, session: Session, all: readonly CommandEntry[]): void {
  const what = new Argument(
    '<what>',
    'the script for a shell, the manual page, or the names that scripts need, a line each',
  )
  command
    .addArgument(what.choices(['bash', 'zsh', 'fish', 'man', 'clusters', 'nodes']))
    .option(...nameOption)
    .addHelpText('after', help)
    .action(async (asked: string, options: CommonOptions) => {
      if (asked === 'clusters') print(lines(await runningClusters(trustedPlaces(session))))
      else if (asked === 'nodes') print(lines(await nodes(session, options)))
      else {
        const program = await configured(command.parent!, session, all)
        if (asked === 'man') await printRaw((await import('../completion/man.ts')).manPage(program))
        else await printRaw(await script(asked, program, all))
      }
    })
}

async function configured(
  program: Command,
  session: Session,
  all: readonly CommandEntry[],
): Promise<Command> {
  for (const each of program.commands) {
    if (each.name() !== 'completion') await configureCommand(each, session, all)
  }
  return program
}

const help = `
For this shell: source <(xc completion bash), source <(xc completion zsh) after compinit, or
xc completion fish | source. For every shell:
  xc completion bash > ~/.local/share/bash-completion/completions/xc
  xc completion zsh > DIRECTORY/_xc, with a directory in $fpath
  xc completion fish > ~/.config/fish/completions/xc.fish

The scripts have the commands and options of this version. They run \`xc completion\` for nodes and clusters.`

async function script(shell: string, program: Command, all: readonly CommandEntry[]): Promise<string> {
  const { wordsOf } = await import('../completion/vocabulary.ts')
  const words = wordsOf(program, all)
  if (shell === 'fish') return (await import('../completion/fish.ts')).fishScript(words)
  if (shell === 'zsh') return (await import('../completion/zsh.ts')).zshScript(words)
  return (await import('../completion/bash.ts')).bashScript(words)
}

/** `1:vm-001`. Empty when the cluster does not answer: an error would garble the line that you type. */
async function nodes(session: Session, options: CommonOptions): Promise<string[]> {
  try {
    const status = await clientOf(session, { ...options, timeout: '1' }).status()
    return status.nodes.map(({ id, name }) => `${id}:${name}`)
  } catch {
    return []
  }
}

function lines(words: readonly string[]): string {
  return words.map(word => `${word}\n`).join('')
}
