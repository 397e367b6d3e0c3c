import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type Command, Option } from 'commander'
import { optionOf } from '../../base/index.ts'
import {
  isNarrow,
  isTopologyFile,
  resolveSettings,
  roleKeys,
  type SettingKey,
  type SettingOptions,
  type Settings,
  settingOf,
  settings,
  wideName,
  withPathsFrom,
} from '../../plan/index.ts'
import type { Session } from '../session.ts'
import { withSpoofFile } from './spoof-file.ts'

/**
 * Adds an option for every setting (`--nets-vm` for `netsVm`), and those for single roles, and for the nodes and nets in
 * `argv`. The help has a sentence about these.
 */
export function addSettings(command: Command, argv: readonly string[]): void {
  for (const key of Object.keys(settings)) command.addOption(settingOption(key as SettingKey))
  command.option('--no-clone', 'the same as --clone off: boot each VM')
  command.option('--no-dns-upstream', 'the same as --dns-upstream off: answer only local names')
  for (const key of [...roleKeys, ...numberedKeysIn(argv)])
    command.addOption((settingOf(key) ? settingOption(key) : new Option(`--${key} <value>`)).hideHelp())
}

/** The option of one setting, for commands that need only a few. */
export function settingOption(key: string): Option {
  const { doc, default: value, kind, variable, bare } = settingOf(key)!
  const shown = kind.print(value)
  const about = `${doc}${shown ? ` (default ${shown})` : ''} [${variable}]`
  const name = placeholder(wideName(key))
  const option = new Option(`${optionOf(key)} ${bare === undefined ? `<${name}>` : `[${name}]`}`, about)
  const separator = lists[key] ?? (key.startsWith('with') ? ',' : undefined)
  if (separator !== undefined)
    option.argParser((more, before?: string) => [before, more].filter(Boolean).join(separator))
  return bare === undefined ? option : option.preset(bare)
}

/** `mem201` of `--mem201`: there is one for every node and net, so only those on the command line become options. */
function numberedKeysIn(argv: readonly string[]): Set<string> {
  const words = argv.map(argument => /^--([a-z]+\d+)(?==|$)/.exec(argument)?.[1] ?? '')
  return new Set(words.filter(isNarrow))
}

/** The settings from options, environment and defaults. Paths are made absolute: the owner has another directory. */
export function settingsOf(session: Session, options: Readonly<Record<string, unknown>>): Settings {
  const { clone, dnsUpstream } = options
  const asked = {
    ...options,
    ...(clone === false && { clone: 'off' }),
    ...(dnsUpstream === false && { dnsUpstream: 'off' }),
  }
  const { env, options: given } = withSpoofFile({ env: session.env, options: asked })
  const chosen = Object.entries(given).filter(([key]) => isSetting(key))
  const all = resolveSettings({
    env,
    options: Object.fromEntries(chosen) as SettingOptions,
    named: optionOf,
  })
  return withPaths(session, all)
}

/**
 * The options with what the topology file gives that they, or XCLUSTER_TOPOLOGY, name: settings where there is no option
 * for them. Throws BAD_TOPOLOGY.
 */
export async function withTopologyFile<T extends Readonly<Record<string, unknown>>>(
  { env }: Session,
  options: T,
): Promise<T> {
  const topology = options.topology ?? env.XCLUSTER_TOPOLOGY ?? ''
  if (typeof topology !== 'string' || !isTopologyFile(topology)) return options
  const { readTopology } = await import('../../topology/index.ts')
  const given = await readTopology(topology)
  return { ...given.settings, ...options, topology: given.topology }
}

/** The settings with some of them changed, by a hook: `named` is how errors name them. */
export function changedSettings(
  session: Session,
  { before, changes }: { readonly before: Settings; readonly changes: SettingOptions },
  named: (key: string) => string,
): Settings {
  return withPaths(session, resolveSettings({ options: { ...before, ...changes }, named }))
}

function withPaths(session: Session, all: Settings): Settings {
  const made = withPathsFrom(process.cwd(), all)
  return made.cdrom === '' ? { ...made, cdrom: madeCdrom(session) } : made
}

function isSetting(key: string): boolean {
  return Object.hasOwn(settings, key) || isNarrow(key)
}

/** The image that `xc mkcdrom` writes when no path is given. */
export function usualCdrom({ places }: Session): string {
  return join(places.state, 'cdrom.iso')
}

function madeCdrom(session: Session): string {
  const path = usualCdrom(session)
  return existsSync(path) ? path : ''
}

/** Options that may be repeated: the values together are one list. */
const lists: Readonly<Record<string, string>> = {
  dnsSpoof: ',',
  dnsZone: ',',
  dnsRecord: ';',
  ovl: ',',
  packages: ',',
} satisfies {
  readonly [Key in SettingKey]?: string
}
const files: readonly string[] = [
  'cdrom',
  'kernel',
  'rootfs',
  'image',
  'sshKey',
  'kvm',
  'netSetup',
  'dnsHosts',
  'dnsLog',
  'dnsUpstreamCa',
] satisfies SettingKey[]

function placeholder(key: string): string {
  if (files.includes(key)) return 'file'
  if (key.startsWith('nets') || key === 'hostNets') return 'nets'
  if (['ovl', 'xovls', 'packages'].includes(key) || key.startsWith('with')) return 'names'
  if (key === 'ovlPath') return 'dirs'
  if (['modules', 'cidata'].includes(key)) return 'dir'
  return typeof (settings as Record<string, { default: unknown }>)[key]?.default === 'number' ? 'n' : 'value'
}
