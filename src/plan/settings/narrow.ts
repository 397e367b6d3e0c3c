import { lastNodeId, type Role, roleOf } from '../../base/index.ts'
import type { Setting } from './setting.ts'
import { type NodeSettingKey, type Settings, settings } from './settings.ts'

type Narrow = Setting<unknown> & {
  readonly isOfRoles: boolean
  /** The numbers of nodes, or nets. */
  readonly from: number
  readonly to: number
}

/** How a role is written after the name of a setting: `memRouter`. */
const suffixOf = { vm: 'Vm', router: 'Router', tester: 'Tester' } as const satisfies Record<Role, string>
const roles = Object.keys(suffixOf) as Role[]

const ofNodes = Object.entries(settings).filter(([, { scope }]) => scope === 'node')

/** What can be set for less than the cluster, by the name before the role or number. */
const wide: Readonly<Record<string, Narrow>> = {
  ...Object.fromEntries(ofNodes.map(([key, setting]) => [key, ofNode(setting as Setting<unknown>, true)])),
  nets: ofNode({ ...settings.netsVm, variable: '__nets' } as Setting<unknown>, false),
  mtu: { ...(settings.mtu as Setting<unknown>), isOfRoles: false, from: 0, to: 255 },
}

function ofNode(setting: Setting<unknown>, isOfRoles: boolean): Narrow {
  return { ...setting, isOfRoles, from: 1, to: lastNodeId }
}

const narrowKey = new RegExp(
  `^(${Object.keys(wide).join('|')})(${Object.values(suffixOf).join('|')}|0|[1-9]\\d{0,2})$`,
)

/** The keys of the settings for one role, in the order of the table: `memVm`, `memRouter` … */
export const roleKeys: readonly string[] = ofNodes.flatMap(([key]) =>
  Object.values(suffixOf).map(suffix => `${key}${suffix}`),
)

/** True when `key` has the form of a setting for one role, node or net: `memRouter`, `mem3`. It may still not exist. */
export function isNarrow(key: string): boolean {
  return narrowKey.test(key)
}

/** The name without role or number: `mem` of `memRouter` and `mem3`. That of another key is the key. */
export function wideName(key: string): string {
  return narrowKey.exec(key)?.[1] ?? key
}

/** The key of the setting for one role, node or net with this variable: `__mem_router` → `memRouter`. */
export function narrowKeyOf(variable: string): string | undefined {
  const key = variable.replace(/^__/, '').replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())
  return narrowSetting(key)?.variable === variable ? key : undefined
}

/** The setting for one role, node or net with this key. Undefined: there is none. */
export function narrowSetting(key: string): Setting<unknown> | undefined {
  const [, name = '', holder] = narrowKey.exec(key) ?? []
  const setting = wide[name]
  if (!setting) return undefined
  const { variable, doc, from, to } = setting
  const role = roles.find(role => suffixOf[role] === holder)
  if (role)
    return setting.isOfRoles
      ? {
          ...setting,
          variable: `${variable}_${role}`,
          doc: `${doc}: of each ${role === 'vm' ? 'cluster node' : role}`,
        }
      : undefined
  if (Number(holder) < from || Number(holder) > to) return undefined
  const of = name === 'mtu' ? 'net' : 'node'
  return { ...setting, variable: `${variable}${holder}`, doc: `${doc}: of ${of} ${holder}` }
}

/** The value for one node: its own, else its role's, else the cluster's. For a role: its own, else the cluster's. */
export function settingFor<K extends NodeSettingKey>(
  all: Settings,
  key: K,
  holder: number | Role,
): Settings[K] {
  return settingsFor(all, key, holder).at(-1)!
}

/** The values that apply to one node, or role: the cluster's, then that of its role, then its own. */
export function settingsFor<K extends NodeSettingKey>(
  all: Settings,
  key: K,
  holder: number | Role,
): Settings[K][] {
  const role = typeof holder === 'string' ? holder : roleOf(holder)
  const values = all as unknown as Readonly<Record<string, Settings[K] | undefined>>
  const given = [values[key], role && values[`${key}${suffixOf[role]}`], values[`${key}${holder}`]]
  return given.filter(value => value !== undefined)
}

/** The nodes that have a value of their own for one of these settings. */
export function nodesWith(all: Settings, keys: readonly NodeSettingKey[]): number[] {
  const numbers = Object.keys(all).flatMap(key => {
    const [, name, digits] = narrowKey.exec(key) ?? []
    return keys.includes(name as NodeSettingKey) ? [Number(digits)] : []
  })
  return [...new Set(numbers)]
}

/** The MTU of each net that has one of its own. */
export function mtusOf(all: Settings): Record<number, number> {
  const own = Object.entries(all).flatMap(([key, value]) => {
    const [, net] = /^mtu(\d+)$/.exec(key) ?? []
    return net === undefined ? [] : [[net, value]]
  })
  return Object.fromEntries(own)
}
