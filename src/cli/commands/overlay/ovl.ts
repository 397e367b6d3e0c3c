import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Command } from 'commander'
import { isSystemError, reasonOf } from '../../../base/index.ts'
import type { OverlaySource } from '../../../host/index.ts'
import { CliError } from '../../errors.ts'
import { settingsOf } from '../../options/settings.ts'
import { print, printJson, printRaw, tell } from '../../output.ts'
import type { Session } from '../../session.ts'
import { table } from '../../view/table.ts'
import { mergedOverlays } from './merged.ts'

export function configure(command: Command, session: Session): void {
  command.helpCommand(false)
  const sub = (name: string, about: string) =>
    command.command(name).description(about).option('--debug', 'print the stack of an error')
  sub('list', 'List the overlays of XCLUSTER_OVLPATH, and those of this package.')
    .option('--json', 'print one JSON value (docs/json.md)')
    .action((options: { json?: boolean }) => list(session, options))
  sub('show', 'Print the files that an overlay gives.')
    .argument('<overlay>', 'a name, a directory or a tar file')
    .option('--json', 'print one JSON value (docs/json.md)')
    .action((name: string, options: { json?: boolean }) => show(session, name, options))
  sub('tar', 'Write the files of overlays to standard output, as one tar archive.')
    .argument('<overlays...>', 'names, directories or tar files')
    .action((names: string[]) => writeArchive(session, names))
  sub('new', 'Make the directory of a new overlay, with a `tar` and an example.')
    .argument('<directory>')
    .action(make)
}

async function list(session: Session, { json }: { json?: boolean }): Promise<void> {
  const { listOverlays } = await import('../../../host/index.ts')
  const overlays = await listOverlays({ paths: settingsOf(session, {}).ovlPath, from: process.cwd() })
  if (json) return printJson({ v: 1, overlays: overlays.map(({ name, path }) => ({ name, path })) })
  print(
    table(
      ['NAME', 'PATH'],
      overlays.map(({ name, path }) => [name, path]),
    ),
  )
}

async function show(session: Session, name: string, { json }: { json?: boolean }): Promise<void> {
  const { findOverlay, readOverlay } = await import('../../../host/index.ts')
  const source: OverlaySource = findOverlay(name, {
    paths: settingsOf(session, {}).ovlPath,
    from: process.cwd(),
  })
  const { entries, remarks } = await readOverlay(source, { env: session.env })
  for (const remark of remarks) tell(`note: ${remark}`)
  const files = entries.map(entry => ({
    path: `/${entry.path}`,
    kind: entry.kind,
    ...('mode' in entry && { mode: entry.mode.toString(8).padStart(4, '0') }),
    ...(entry.kind === 'file' && { bytes: entry.content.length }),
    ...(entry.kind === 'link' && { target: entry.target }),
  }))
  if (json) return printJson({ v: 1, name: source.name, path: source.path, files })
  const rows = files.map(({ path, kind, mode = '', bytes = '', target }) => [
    kind,
    mode,
    String(bytes),
    target === undefined ? path : `${path} -> ${target}`,
  ])
  print(table(['KIND', 'MODE', 'BYTES', 'PATH'], rows))
}

async function writeArchive(session: Session, names: readonly string[]): Promise<void> {
  if (process.stdout.isTTY) throw noTerminal()
  for await (const bytes of await mergedOverlays(session, names)) await printRaw(bytes)
}

function noTerminal(): CliError {
  return new CliError({
    code: 'OUTPUT_IS_TERMINAL',
    kind: 'usage',
    op: 'write an archive',
    reason: 'standard output is a terminal',
    remedy: 'Give it to a file or a program: xc ovl tar NAME >FILE.tar',
  })
}

const tarText = `#!/bin/sh
# Writes the files of this overlay for a guest's root as a tar archive: tar FILE, or tar - for standard output.
dir=$(dirname "$(readlink -f "$0")")
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
cp -R "$dir/default/." "$tmp"
cd "$tmp" && tar -cf "\${1:--}" .
`

const rcText = `#!/bin/sh
# Runs once in every guest, when it has its addresses.
[ "$1" = start ] || exit 0
echo "This is $(hostname)" >/etc/motd
`

async function make(directory: string): Promise<void> {
  const { makeDirectory } = await import('../../../host/index.ts')
  try {
    makeDirectory(join(directory, 'default/etc/init.d'))
    await writeFile(join(directory, 'tar'), tarText, { mode: 0o755, flag: 'wx' })
    await writeFile(join(directory, 'default/etc/init.d/50example.rc'), rcText, { mode: 0o755, flag: 'wx' })
  } catch (failure) {
    if (!isSystemError(failure, 'EEXIST', 'ENOTDIR', 'EACCES', 'EROFS', 'ENOSPC')) throw failure
    throw new CliError({
      code: 'OVERLAY_NOT_MADE',
      kind: 'usage',
      op: 'make overlay',
      target: directory,
      reason: reasonOf(failure),
      cause: failure,
    })
  }
  tell(
    `Made ${directory}. Put files for guests below ${join(directory, 'default')}, then: xc start --ovl ${directory}`,
  )
}
