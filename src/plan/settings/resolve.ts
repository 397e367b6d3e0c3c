import { settingText, XclusterError } from '../../base/index.ts'
import { narrowKeyOf, narrowSetting } from './narrow.ts'
import {
  type Environment,
  type Setting,
  type SettingKey,
  type SettingOptions,
  type Settings,
  settings,
} from './settings.ts'

/** The setting of a key, which may be for one role, node or net: `nvm`, `memRouter`, `mem3`. */
export function settingOf(key: string): Setting<unknown> | undefined {
  if (Object.hasOwn(settings, key)) return settings[key as SettingKey] as Setting<unknown>
  return narrowSetting(key)
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
  for (const key of [...Object.keys(settings), ...narrowKeysIn(env)]) {
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

function narrowKeysIn(env: Environment): string[] {
  return Object.keys(env).flatMap(name => (env[name] ? (narrowKeyOf(name) ?? []) : []))
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
