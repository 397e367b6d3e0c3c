import { lastNodeId, settingText, XclusterError } from '../../base/index.ts'
import {
  type Environment,
  type NodeSettingKey,
  type Setting,
  type SettingKey,
  type SettingOptions,
  type Settings,
  settings,
} from './settings.ts'

/** The settings that can be given for one node, by its id, or for one net, 0–255. */
const numbered = {
  mem: { ...settings.mem, from: 1, to: lastNodeId },
  smp: { ...settings.smp, from: 1, to: lastNodeId },
  append: { ...settings.append, from: 1, to: lastNodeId },
  nets: { ...settings.netsVm, from: 1, to: lastNodeId },
  with: { ...settings.with, from: 1, to: lastNodeId },
  kernel: { ...settings.kernel, from: 1, to: lastNodeId },
  modules: { ...settings.modules, from: 1, to: lastNodeId },
  rootfs: { ...settings.rootfs, from: 1, to: lastNodeId },
  image: { ...settings.image, from: 1, to: lastNodeId },
  bootable: { ...settings.bootable, from: 1, to: lastNodeId },
  cidata: { ...settings.cidata, from: 1, to: lastNodeId },
  init: { ...settings.init, from: 1, to: lastNodeId },
  mtu: { ...settings.mtu, from: 0, to: 255 },
} as const
const numberedKey = new RegExp(`^(${Object.keys(numbered).join('|')})(0|[1-9]\\d{0,2})$`)

/** True when `key` has the form of a setting for one node or net: `mem3`. The setting may still not exist. */
export function isNumbered(key: string): boolean {
  return numberedKey.test(key)
}

/** The setting of a key, which may be for one node or net: `nvm`, `mem3`. */
export function settingOf(key: string): Setting<unknown> | undefined {
  if (Object.hasOwn(settings, key)) return settings[key as SettingKey] as Setting<unknown>
  const [, name, number] = numberedKey.exec(key) ?? []
  const one = name && numbered[name as keyof typeof numbered]
  if (!one || Number(number) < one.from || Number(number) > one.to) return undefined
  return { ...one, variable: `__${key}` } as Setting<unknown>
}

/**
 * The value of every setting: from `options`, else from the environment, else the default. Throws BAD_SETTING
 * and UNKNOWN_SETTING (usage), which name the value as it was given (option or variable).
 */
export function resolveSettings(from: {
  env?: Environment
  options?: SettingOptions
  /** How a setting is named in errors. Default: by its key. */
  named?: (key: string) => string
}): Settings {
  const { env = {}, options = {}, named = key => key } = from
  const values: Record<string, unknown> = {}
  for (const key of [...Object.keys(settings), ...numberedKeysIn(env)]) {
    const setting = settingOf(key)!
    // An empty variable is not set. Nor is one that equals the default where a topology may have another
    // value: so `eval "$(xc env)"` changes nothing.
    const given = env[setting.variable]
    const asked = given ? read(setting, setting.variable, given) : undefined
    const quiet = settings[key as SettingKey]?.scope === 'topology'
    if (!quiet) values[key] = asked ?? setting.default
    else if (asked !== undefined && given !== setting.kind.print(setting.default)) values[key] = asked
  }
  for (const [key, value] of Object.entries(options)) {
    if (value === undefined) continue
    const setting = settingOf(key)
    if (!setting) throw unknownSetting(key)
    values[key] = read(setting, named(key), value)
  }
  return values as unknown as Settings
}

/** The value for one node: its own, else the one for all nodes. */
export function settingFor<K extends NodeSettingKey>(all: Settings, key: K, node: number): Settings[K] {
  return (valuesOf(all)[`${key}${node}`] ?? all[key]) as Settings[K]
}

/** The nodes that have a value of their own for one of these settings. */
export function nodesWith(all: Settings, keys: readonly NodeSettingKey[]): number[] {
  const numbers = Object.keys(valuesOf(all)).flatMap(key => {
    const [, name, number] = numberedKey.exec(key) ?? []
    return keys.includes(name as NodeSettingKey) ? [Number(number)] : []
  })
  return [...new Set(numbers)]
}

/** The MTU of each net that has one of its own. */
export function mtusOf(all: Settings): Record<number, number> {
  const own = Object.entries(valuesOf(all)).flatMap(([key, value]) => {
    const [, net] = /^mtu(\d+)$/.exec(key) ?? []
    return net === undefined ? [] : [[net, value]]
  })
  return Object.fromEntries(own)
}

/** The variable of each setting with its value, sorted by name. */
export function variablesOf(all: Settings): (readonly [variable: string, value: string])[] {
  const values = valuesOf(all)
  const keys = new Set([...Object.keys(settings), ...Object.keys(values)])
  const lines = [...keys].map(key => {
    const { variable, kind, default: usual } = settingOf(key)!
    return [variable, kind.print(values[key] ?? usual)] as const
  })
  return lines.sort(([a], [b]) => (a < b ? -1 : 1))
}

/** All settings as sorted `NAME=value` lines, quoted for the `eval` of a POSIX shell. */
export function printSettings(all: Settings): string {
  return variablesOf(all)
    .map(([name, value]) => `${name}=${quoted(value)}\n`)
    .join('')
}

const valuesOf = (all: Settings) => all as unknown as Readonly<Record<string, unknown>>

function quoted(value: string): string {
  return /^[\w.,:/@%+=-]*$/.test(value) ? value : `'${value.replaceAll("'", "'\\''")}'`
}

function numberedKeysIn(env: Environment): string[] {
  const keys = Object.keys(env).map(name => (name.startsWith('__') ? name.slice(2) : ''))
  return keys.filter(key => isNumbered(key) && env[`__${key}`] && settingOf(key))
}

function read(setting: Setting<unknown>, spelling: string, value: unknown): unknown {
  const result = setting.kind.read(value)
  if (result !== undefined) return result
  const shown = typeof value === 'object' ? JSON.stringify(value) : String(value)
  const reason = `'${shown}' is not ${setting.kind.expects}`
  throw new XclusterError({ code: 'BAD_SETTING', kind: 'usage', target: spelling, reason })
}

function unknownSetting(key: string): XclusterError {
  const reason = `there is no setting '${key}'`
  const near = Object.keys(settings).find(known => isNear(known, key))
  const remedy = near ? `Did you mean ${settingText(near)}?` : 'SettingOptions lists all settings'
  return new XclusterError({ code: 'UNKNOWN_SETTING', kind: 'usage', reason, remedy })
}

/** True when they differ in case, or by one letter more or less. */
function isNear(known: string, key: string): boolean {
  const [short, long] = [known, key].map(text => text.toLowerCase()).sort((a, b) => a.length - b.length)
  if (long!.length - short!.length > 1) return false
  return short === long || [...long!].some((_, at) => long!.slice(0, at) + long!.slice(at + 1) === short)
}
