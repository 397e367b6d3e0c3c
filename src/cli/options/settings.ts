import { resolve } from 'node:path'
import { type Command, Option } from 'commander'
import {
  optionOf,
  resolveSettings,
  type Setting,
  type SettingKey,
  type SettingOptions,
  type Settings,
  settings,
} from '../../plan/index.ts'
import type { Session } from '../session.ts'

/** Adds an option for every setting (`--nets-vm` for `netsVm`), and those for single nodes in `argv`. */
export function addSettings(command: Command, argv: readonly string[]): void {
  for (const key of Object.keys(settings)) command.addOption(settingOption(key as SettingKey))
  command.option('--no-clone', 'the same as --clone off: boot each VM')
  command.option('--no-dns-upstream', 'the same as --dns-upstream off: answer only local names')
  for (const option of nodeOptionsIn(argv)) command.addOption(new Option(`${option} <value>`).hideHelp())
}

/** The option of one setting, for commands that need only a few. */
export function settingOption(key: SettingKey): Option {
  const { doc, default: value, kind, variable, bare }: Setting<unknown> = settings[key] as Setting<unknown>
  const shown = kind.print(value)
  const about = `${doc}${shown ? ` (default ${shown})` : ''} [${variable}]`
  const name = placeholder(key)
  const option = new Option(`${optionOf(key)} ${bare === undefined ? `<${name}>` : `[${name}]`}`, about)
  if (key === 'dnsSpoof')
    option.argParser((more, before?: string) => [before, more].filter(Boolean).join(','))
  return bare === undefined ? option : option.preset(bare)
}

/** `--mem201`, `--mtu3` …: there is one for every node and net, so only those on the command line become options. */
function nodeOptionsIn(argv: readonly string[]): Set<string> {
  const found = argv.map(argument => /^--(?:mem|smp|append|nets|mtu)\d+(?==|$)/.exec(argument)?.[0])
  return new Set(found.filter(option => option !== undefined))
}

/** The settings from options, environment and defaults. Paths are made absolute: the owner has another directory. */
export function settingsOf(session: Session, options: Readonly<Record<string, unknown>>): Settings {
  const { clone, dnsUpstream } = options
  const asked = {
    ...options,
    ...(clone === false && { clone: 'off' }),
    ...(dnsUpstream === false && { dnsUpstream: 'off' }),
  }
  const chosen = Object.entries(asked).filter(([key]) => isSetting(key))
  const all = resolveSettings({ env: session.env, options: Object.fromEntries(chosen) as SettingOptions })
  const [kernel, kvm, netSetup] = [absolute(all.kernel), program(all.kvm), program(all.netSetup)]
  const [dnsHosts, dnsLog] = [absolute(all.dnsHosts), absolute(all.dnsLog)]
  return { ...all, kernel, kvm, netSetup, dnsHosts, dnsLog }
}

function isSetting(key: string): boolean {
  return Object.hasOwn(settings, key) || /^(mem|smp|append|nets|mtu)\d+$/.test(key)
}

/** An absolute path, or a name to find in PATH. */
function program(path: string): string {
  return path.includes('/') ? absolute(path) : path
}

function absolute(path: string): string {
  return path === '' ? '' : resolve(path)
}

const files: readonly string[] = ['kernel', 'kvm', 'netSetup', 'dnsHosts', 'dnsLog'] satisfies SettingKey[]

function placeholder(key: string): string {
  if (files.includes(key)) return 'file'
  if (key.startsWith('nets') || key === 'hostNets') return 'nets'
  return typeof (settings as Record<string, { default: unknown }>)[key]?.default === 'number' ? 'n' : 'value'
}
