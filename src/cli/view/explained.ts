import { optionOf } from '../../base/index.ts'
import {
  type Environment,
  narrowKeyOf,
  printSettings,
  type Setting,
  type Settings,
  settingOf,
  settings,
  topologies,
  topologyName,
} from '../../plan/index.ts'
import { table } from './table.ts'

export interface Sources {
  readonly env: Environment
  /** The options that were typed, by key. */
  readonly options: Readonly<Record<string, unknown>>
  /** The same with what a topology file gives. */
  readonly given: Readonly<Record<string, unknown>>
}

/** Each setting: its variable, its value as a shell reads it, where that comes from, and what it does. */
export function explainedSettings(all: Settings, sources: Sources): string {
  const rows = printSettings(all)
    .trimEnd()
    .split('\n')
    .map(line => {
      const at = line.indexOf('=')
      const [variable, value] = [line.slice(0, at), line.slice(at + 1)]
      const [key, { doc }] = settingWith(variable)
      const source = sourceOf({ key, variable }, all, sources)
      return [variable, source.startsWith('topology') ? '' : value, source, doc]
    })
  return table(['variable', 'value', 'from', 'what it is'], rows)
}

type Named = readonly [key: string, setting: Pick<Setting<unknown>, 'doc'>]

function settingWith(variable: string): Named {
  const found = Object.entries(settings).find(([, setting]) => setting.variable === variable)
  if (found) return found
  const key = narrowKeyOf(variable)!
  return [key, settingOf(key)!]
}

function sourceOf(
  { key, variable }: { readonly key: string; readonly variable: string },
  all: Settings,
  { env, options, given }: Sources,
): string {
  if (options[key] !== undefined) return optionOf(key)
  if (given[key] !== undefined && key !== 'topology') return `file of ${topologyName(all.topology)}`
  if (key === 'dnsHosts' && all.dnsHosts !== '' && !env[variable]) return '__dns_spoof'
  if (Object.hasOwn(all, key) && env[variable]) return 'environment'
  const isKnown = typeof all.topology !== 'string' || topologies.some(({ name }) => name === all.topology)
  return Object.hasOwn(all, key) || !isKnown ? 'default' : `topology ${topologyName(all.topology)}`
}
