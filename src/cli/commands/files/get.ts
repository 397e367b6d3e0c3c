import type { Command } from 'commander'
import { CliError } from '../../errors.ts'
import { nameOption } from '../../options/shared.ts'
import type { CommonOptions, Session } from '../../session.ts'
import { guestOf, nodeDoc, ProgressLine, tellSkipped } from './shared.ts'

export function configure(command: Command, session: Session): void {
  command
    .argument('<node>', nodeDoc)
    .argument(
      '<paths...>',
      'files and directories of the node; then the place on this machine, or - for standard output',
    )
    .usage('NODE REMOTE… LOCAL [options]')
    .option(...nameOption)
    .addHelpText('after', help)
    .action((node: string, paths: string[], options: CommonOptions) => get(session, { node, paths, options }))
}

const help = `
As cp -r does: into LOCAL when that is a directory, else as LOCAL. Modes and times are kept, links stay links.
Links that lead out of what is copied, devices and set-user-id bits are left out, and said.
Everything is written beside its place first, and renamed when all of it has come: a failure leaves what was there.`

interface Get {
  readonly node: string
  readonly paths: readonly string[]
  readonly options: CommonOptions
}

async function get(session: Session, { node, paths, options }: Get): Promise<void> {
  const [local, remote] = [paths.at(-1)!, paths.slice(0, -1)]
  if (remote.length === 0 || (local === '-' && remote.length > 1)) throw badPaths(local)
  const { getContent, getFiles } = await import('../../../files/index.ts')
  const guest = guestOf(session, node, options)
  const line = local === '-' && process.stdout.isTTY ? undefined : ProgressLine.onTerminal()
  const onProgress = line && ((progress => line.tell(progress)) satisfies ProgressTold)
  try {
    const copied =
      local === '-'
        ? await getContent(guest, remote[0]!, { target: process.stdout, onProgress })
        : await getFiles(guest, remote, {
            target: local,
            how: remote.length > 1 || local.endsWith('/') ? 'into' : 'auto',
            onProgress,
          })
    line?.clear()
    tellSkipped(copied)
  } finally {
    line?.clear()
  }
}

type ProgressTold = undefined | ((progress: Parameters<ProgressLine['tell']>[0]) => void)

function badPaths(local: string): CliError {
  return new CliError({
    code: 'PATHS_MISSING',
    kind: 'usage',
    op: 'copy files',
    reason: local === '-' ? 'standard output takes one file' : 'only one path is given',
    remedy: 'Give what to copy, then where to: xc get 1 /etc/hosts .',
  })
}
