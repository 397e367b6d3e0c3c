import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import type { Command } from 'commander'
import { topologyName } from '../../../plan/index.ts'
import { settingsOf, usualCdrom } from '../../options/settings.ts'
import { tell } from '../../output.ts'
import type { Session } from '../../session.ts'

interface CdromOptions {
  readonly label: string
  readonly script?: string
  readonly cidata?: string
  readonly cdrom?: string
}

export function configure(command: Command, session: Session): void {
  command
    .argument('[overlays...]', 'names, directories or tar files; none: remove the image')
    .option('--cdrom <file>', 'write it there [__cdrom]')
    .option('--label <label>', 'the label of the volume', 'OVERLAYS')
    .option('--script <file>', 'add a script, as `script`')
    .option('--cidata <dir>', 'add the files of a directory for cloud-init, with the label cidata')
    .addHelpText(
      'after',
      '\nThe next starts take the overlays from it, until another image is made or it is removed.',
    )
    .action((overlays: string[], options: CdromOptions) => make(session, overlays, options))
}

async function make(session: Session, names: readonly string[], options: CdromOptions): Promise<void> {
  const settings = settingsOf(session, {})
  const path = resolve(options.cdrom ?? (session.env.__cdrom || usualCdrom(session)))
  if (names.length === 0 && !options.script && !options.cidata) {
    await rm(path, { force: true })
    return tell(`Removed ${path}.`)
  }
  const { findOverlay, makeDirectory, overlayArchive, plainArchive, writeCdrom } = await import(
    '../../../host/index.ts'
  )
  const sources = names.map(name => findOverlay(name, { paths: settings.ovlPath, from: process.cwd() }))
  const run = {
    env: { XCLUSTER: process.argv[1], ...session.env, TOPOLOGY: topologyName(settings.topology) },
  }
  const archives = []
  for (const source of sources) {
    const bytes = await plainArchive(await overlayArchive(source, run), source.path)
    archives.push({ name: source.name.replace(/\.tar(\.\w+)?$/, ''), bytes })
  }
  const more = {
    ...(options.script && { script: await readFile(options.script) }),
    ...(options.cidata && (await filesOf(options.cidata))),
  }
  const label = options.cidata ? 'cidata' : options.label
  makeDirectory(dirname(path), 0o700)
  await writeFile(path, writeCdrom(archives, { label, more }))
  tell(`Wrote ${path}: ${archives.map(({ name }) => name).join(', ') || 'no overlays'}.`)
}

async function filesOf(directory: string): Promise<Record<string, Uint8Array>> {
  const names = await readdir(directory)
  return Object.fromEntries(
    await Promise.all(names.map(async name => [name, await readFile(join(directory, name))])),
  )
}
