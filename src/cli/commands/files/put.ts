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
      'files and directories of this machine, or - for standard input; then the place on the node',
    )
    .usage('NODE LOCAL… REMOTE [options]')
    .option(...nameOption)
    .addHelpText('after', help)
    .action((node: string, paths: string[], options: CommonOptions) => put(session, { node, paths, options }))
}

const help = `
As cp -r does: into REMOTE when that is a directory, else as REMOTE. Modes and times are kept, links stay links.
Everything is written beside its place first, and renamed when all of it has come: a failure leaves what was there.`

interface Put {
  readonly node: string
  readonly paths: readonly string[]
  readonly options: CommonOptions
}

async function put(session: Session, { node, paths, options }: Put): Promise<void> {
  const [remote, local] = [paths.at(-1)!, paths.slice(0, -1)]
  if (local.length === 0) throw onePath()
  const { putFiles } = await import('../../../files/index.ts')
  const isInput = local.length === 1 && local[0] === '-'
  const line = ProgressLine.onTerminal()
  try {
    const copied = await putFiles(guestOf(session, node, options), isInput ? [process.stdin] : local, {
      path: remote,
      how: isInput ? 'as' : local.length > 1 || remote.endsWith('/') ? 'into' : 'auto',
      onProgress: line && (progress => line.tell(progress)),
    })
    line?.clear()
    tellSkipped(copied)
  } finally {
    line?.clear()
    if (isInput) process.stdin.destroy()
  }
}

function onePath(): CliError {
  return new CliError({
    code: 'PATHS_MISSING',
    kind: 'usage',
    op: 'copy files',
    reason: 'only one path is given',
    remedy: 'Give what to copy, then where to: xc put 1 FILE /tmp/',
  })
}
