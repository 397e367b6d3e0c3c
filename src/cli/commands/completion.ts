import { Argument, type Command } from 'commander'
import { runningClusters } from '../../client/index.ts'
import type { CommandEntry, CommandFile } from '../command.ts'
import type { CommandWords } from '../completion/vocabulary.ts'
import { nameOption } from '../options/shared.ts'
import { print } from '../output.ts'
import { type CommonOptions, clientOf, type Session } from '../session.ts'

type Configure = (command: Command, session: Session) => Promise<void>

/** The command that completes these, which `configure` makes complete. */
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
      const what = new Argument('<what>', 'a script for a shell; or names for one, a line each')
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
In this shell: source <(xc completion bash), or source <(xc completion zsh) after compinit. For good:
  xc completion bash > ~/.local/share/bash-completion/completions/xc
  xc completion zsh > DIRECTORY/_xc, where $fpath has that directory

The scripts know the commands and options of this version, and ask \`xc completion\` for nodes and clusters.`

async function script(shell: string, words: CommandWords): Promise<string> {
  if (shell === 'zsh') return (await import('../completion/zsh.ts')).zshScript(words)
  return (await import('../completion/bash.ts')).bashScript(words)
}

/** `1:vm-001`. A cluster that cannot be asked has none: while you type is no time for errors. */
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
