import { Argument, type Command } from 'commander'
import { runningClusters } from '../../client/index.ts'
import type { CommandEntry, CommandFile } from '../command.ts'
import type { CommandWords } from '../completion/vocabulary.ts'
import { nameOption } from '../options/shared.ts'
import { print } from '../output.ts'
import { type CommonOptions, clientOf, type Session } from '../session.ts'

type Configure = (command: Command, session: Session) => Promise<void>

/** The command that prints completions of `commands`. `configure` adds options and arguments to each. */
export function completionOf(commands: readonly CommandEntry[], configure: Configure): CommandFile {
  const wordsBelow = async (program: Command, session: Session): Promise<CommandWords> => {
    const { wordsOf } = await import('../completion/vocabulary.ts')
    for (const each of program.commands) {
      if (each.name() !== 'completion') await configure(each, session)
    }
    return wordsOf(program, commands)
  }
  return {
    configure(command, session) {
      const what = new Argument('<what>', 'the script for a shell, or the names that it needs, a line each')
      command
        .addArgument(what.choices(['bash', 'zsh', 'clusters', 'nodes']))
        .option(...nameOption)
        .addHelpText('after', help)
        .action(async (asked: string, options: CommonOptions) => {
          if (asked === 'clusters') print(lines(await runningClusters(session.places)))
          else if (asked === 'nodes') print(lines(await nodes(session, options)))
          else print(await script(asked, await wordsBelow(command.parent!, session)))
        })
    },
  }
}

const help = `
For this shell: source <(xc completion bash), or source <(xc completion zsh) after compinit. For every shell:
  xc completion bash > ~/.local/share/bash-completion/completions/xc
  xc completion zsh > DIRECTORY/_xc, with a directory in $fpath

The scripts have the commands and options of this version. They run \`xc completion\` for nodes and clusters.`

async function script(shell: string, words: CommandWords): Promise<string> {
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
