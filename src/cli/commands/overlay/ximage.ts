import { existsSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { resolveSettings, type SettingKey, type Settings } from '../../../plan/index.ts'
import { CliError } from '../../errors.ts'
import { settingOption, settingsOf } from '../../options/settings.ts'
import { tell } from '../../output.ts'
import type { Session } from '../../session.ts'
import { fetchMissing } from '../../start/packages.ts'

const options = [
  ...['image', 'trustBacking', 'ovlPath', 'packages', 'with'],
  ...['kernel', 'modules', 'append'],
] as const satisfies SettingKey[]

/** The settings that count for the VM that writes the image, and for what is put on it. */
const taken = [
  ...options,
  ...['ovl', 'topology', 'kvm', 'kvmOpt', 'accel', 'machine', 'uidBase'],
] as const satisfies SettingKey[]

export function configure(command: Command, session: Session): void {
  command
    .argument('<file>', 'the new image (qcow2)')
    .argument('[overlays...]', 'names, directories or tar files')
    .option('--force', 'replace FILE')
  for (const key of options) command.addOption(settingOption(key))
  command
    .addHelpText('after', help)
    .action((file: string, overlays: string[], given: Record<string, unknown>) =>
      extend(session, { file, overlays, given }),
    )
}

const help = `
The new image stands alone, and --image itself is not changed. Then: xc start --image FILE.`

interface Extend {
  readonly file: string
  readonly overlays: readonly string[]
  readonly given: Readonly<Record<string, unknown>>
}

async function extend(session: Session, { file, overlays, given }: Extend): Promise<void> {
  const all = settingsOf(session, given)
  const settings = settingsFor({
    ...all,
    ovl: overlays.map(name => (name.includes('/') ? resolve(name) : name)),
  })
  if (settings.image === '') throw noImage()
  if ([...settings.ovl, ...settings.packages, ...settings.with].length === 0) throw nothing()
  const path = resolve(file)
  if (existsSync(path) && !(given.force && statSync(path).isFile())) throw exists(file)
  process.exitCode = await fetchMissing(session, settings)
  if (process.exitCode !== 0) return
  await make(session, settings, path)
}

async function make({ env, places }: Session, settings: Settings, path: string): Promise<void> {
  const { extendImage } = await import('../../../host/index.ts')
  const ending = new AbortController()
  let status = 0
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)
    process.once(signal, () => {
      status = code
      ending.abort()
    })
  try {
    const files = await extendImage(settings, {
      ...{ path, env, cacheDir: places.cache, searchPath: env.PATH ?? '' },
      ...{ notice: (text: string) => tell(`note: ${text}`), signal: ending.signal },
    })
    tell(`Wrote ${path}: ${settings.image} with ${files} files.`)
  } catch (failure) {
    if (status === 0) throw failure
    tell('Cancelled; nothing has been written.')
    process.exitCode = status
  }
}

/** All others have their defaults: settings of a cluster, of single nodes, or of all starts are not those of an image. */
function settingsFor(all: Settings): Settings {
  const picked = Object.fromEntries(taken.map(key => [key, all[key]]))
  return resolveSettings({ options: { ...picked, nvm: 1, nrouters: 0, ntesters: 0 } })
}

function noImage(): CliError {
  return new CliError({
    code: 'NO_BASE_IMAGE',
    kind: 'usage',
    op: 'extend disk image',
    reason: 'none is given, and the image that guests have by default is not on a disk',
    remedy: 'Give one: --image FILE. Or let all starts take the overlays: xc mkcdrom OVERLAY',
  })
}

function nothing(): CliError {
  return new CliError({
    code: 'BAD_USAGE',
    kind: 'usage',
    op: 'extend disk image',
    reason: 'there is nothing to put on it',
    remedy: 'Name overlays, or give --packages or --with',
  })
}

function exists(file: string): CliError {
  return new CliError({
    code: 'IMAGE_EXISTS',
    kind: 'usage',
    op: 'make disk image',
    target: file,
    reason: 'there is a file of that name',
    remedy: 'Choose another, or replace it: --force',
  })
}
