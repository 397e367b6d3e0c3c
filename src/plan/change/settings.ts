import { XclusterError } from '../../base/index.ts'
import { wideName } from '../settings/narrow.ts'
import { resolveSettings, settingOf } from '../settings/resolve.ts'
import { type SettingKey, type SettingOptions, type Settings, settings } from '../settings/settings.ts'
import type { Topology } from '../topology/topology.ts'

type Values = Readonly<Record<string, unknown>>

/** Settings of a node's software, beyond its memory, processors and kernel parameters. A node that has others is started anew. */
export const softwareSettings: readonly string[] = [
  ...['ovl', 'xovls', 'ovlPath', 'cdrom', 'packages', 'sshKey'],
  ...Object.entries(settings).flatMap(([key, { scope }]) =>
    scope === 'node' && !['mem', 'smp', 'append'].includes(key) ? [key] : [],
  ),
]

/** Those that are in the plan of nodes and nets. */
const planned: readonly string[] = [
  ...['nvm', 'mem', 'smp', 'append', 'mtu', 'nets', 'xlanTemplate', 'disableMasquerade', 'topology'],
  ...Object.entries(settings).flatMap(([key, { scope }]) => (scope === 'topology' ? [key] : [])),
] satisfies readonly (SettingKey | string)[]

/**
 * The settings of a cluster that becomes what a topology says. What its earlier topology's file gave begins anew, and so
 * do the counts and nets of roles. The rest stays as the cluster was started. Throws APPLY_REFUSED for a setting that a
 * cluster cannot change while it runs.
 */
export function appliedSettings(now: Settings, topology: Topology): Settings {
  const earlier: Values = (typeof now.topology === 'object' && now.topology.settings) || {}
  const kept = Object.entries(now).filter(
    ([key, value]) => !isOfTopology(key) && text(key, earlier[key]) !== text(key, value),
  )
  const options = { ...Object.fromEntries(kept), ...topology.settings, topology } as SettingOptions
  const after = resolveSettings({ options })
  for (const [key, before, value] of differing(now, after))
    if (![...planned, ...softwareSettings].includes(wideName(key)))
      throw fixed(now.name, key, { before, value })
  return after
}

/** Counts and nets of roles, and nets of nodes. */
function isOfTopology(key: string): boolean {
  return settings[key as SettingKey]?.scope === 'topology' || wideName(key) === 'nets'
}

/** The settings that differ, as text. Empty: it has no value. */
function differing(
  before: Settings,
  after: Settings,
): (readonly [key: string, before: string, after: string])[] {
  const [old, next] = [before, after] as unknown as [Values, Values]
  return [...new Set([...Object.keys(old), ...Object.keys(next)])].flatMap(key => {
    const [was, is] = [text(key, old[key]) ?? '', text(key, next[key]) ?? '']
    return was === is ? [] : [[key, was, is] as const]
  })
}

/** A value as on the command line. */
export function text(key: string, value: unknown): string | undefined {
  const { kind } = settingOf(key)!
  const read = value === undefined ? undefined : kind.read(value)
  return read === undefined ? undefined : kind.print(read)
}

function fixed(
  target: string,
  key: string,
  { before, value }: { readonly before: string; readonly value: string },
): XclusterError {
  const reason = `setting ${key} cannot change while the cluster runs: it is '${before}', and would be '${value}'`
  return refused(target, reason, 'Stop the cluster and start it again, or leave the setting as it is')
}

/** A change that a running cluster cannot make. Nothing has been changed. */
export function refused(target: string, reason: string, remedy?: string): XclusterError {
  const about = { op: 'apply topology to', target, reason, ...(remedy !== undefined && { remedy }) }
  return new XclusterError({ code: 'APPLY_REFUSED', kind: 'usage', ...about })
}
