import type { Command } from 'commander'
import { onFile } from '../../named-file.ts'
import { printJson, tell } from '../../output.ts'
import type { Session } from '../../session.ts'
import { snapshotsOf } from './shared.ts'

interface SnapshotOptions {
  readonly json?: boolean
}

export function configure(command: Command, session: Session): void {
  command.helpCommand(false)
  const sub = (name: string, about: string) =>
    command
      .command(name)
      .description(about)
      .option('--json', 'print one JSON value (docs/json.md)')
      .option('--debug', 'print the stack of an error')
  sub('rm', 'Remove snapshots. Forks that run go on.')
    .argument('<snapshots...>')
    .action((names: string[], options: SnapshotOptions) => remove(session, names, options))
  sub('export', 'Write a snapshot to a file, for another machine of the same kind.')
    .argument('<snapshot>')
    .argument('<file>')
    .action((name: string, file: string, options: SnapshotOptions) =>
      exportTo(session, { name, file }, options),
    )
  sub('import', 'Add a snapshot from such a file, after checking all of it.')
    .argument('<file>')
    .argument('[snapshot]', 'its name here (default: the one that it had)')
    .action((file: string, name: string | undefined, options: SnapshotOptions) =>
      importFrom(session, { name, file }, options),
    )
}

interface Bundle {
  readonly name: string | undefined
  readonly file: string
}

async function exportTo(
  session: Session,
  { name, file }: Bundle & { readonly name: string },
  { json }: SnapshotOptions,
): Promise<void> {
  const { exportSnapshot } = await import('../../../vm/index.ts')
  const root = await snapshotsOf(session)
  await onFile(file, () => exportSnapshot(root, name, file))
  if (json) printJson({ v: 1, snapshot: name, file })
  else tell(`Wrote snapshot '${name}' to ${file}.`)
}

async function importFrom(
  session: Session,
  { name, file }: Bundle,
  { json }: SnapshotOptions,
): Promise<void> {
  const { importSnapshot } = await import('../../../vm/index.ts')
  const root = await snapshotsOf(session)
  const snapshot = await onFile(file, () => importSnapshot(root, file, name))
  if (json) printJson({ v: 1, snapshot })
  else tell(`Imported snapshot '${snapshot}'.`)
}

async function remove(session: Session, names: readonly string[], { json }: SnapshotOptions): Promise<void> {
  const { removeSnapshot } = await import('../../../vm/index.ts')
  const root = await snapshotsOf(session)
  const removed: string[] = []
  try {
    for (const name of new Set(names)) {
      await removeSnapshot(root, name)
      removed.push(name)
    }
  } finally {
    if (json) printJson({ v: 1, removed })
    else for (const name of removed) tell(`Removed snapshot '${name}'.`)
  }
}
