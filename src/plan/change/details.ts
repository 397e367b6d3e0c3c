import { appendedTo } from '../cluster.ts'
import { impairmentText, type LinkImpairments } from '../impairment.ts'
import { settingsFor } from '../settings/narrow.ts'
import { type NodeSettingKey, type Settings, settings as table } from '../settings/settings.ts'
import type { Hop, NodePlan, RoutePlan } from '../types.ts'
import { softwareSettings, text } from './settings.ts'

/** A node that runs. */
export interface StandingNode {
  /** What its guest is configured for. */
  readonly plan: NodePlan
  /** The settings that it was started with. */
  readonly settings: Settings
  /** `ready`, `paused`, `failed` … */
  readonly state: string
  /** By interface. */
  readonly impairments: Readonly<Record<string, LinkImpairments>>
}

/** One thing of a node that changes. Empty text: it is not there. */
export interface Detail {
  readonly what: string
  readonly before: string
  readonly after: string
  /** A guest that runs cannot change it. */
  readonly restarts: boolean
}

type Named = readonly (readonly [what: string, text: string])[]

/** What of a node changes, when it gets another plan and other settings. */
export function detailsOf(
  { plan: before, settings, state, impairments }: StandingNode,
  after: NodePlan,
  next: Settings,
): Detail[] {
  const isUp = ['ready', 'paused'].includes(state)
  const fixed = [
    ...compared([['node', isUp ? '' : state]], [['node', isUp ? '' : 'ready']]),
    ...compared(machineOf(before, settings), machineOf(after, next)),
  ]
  const live = [
    ...compared(configurationOf(before), configurationOf(after)),
    ...compared(linksOf({ ...before, impairments }), linksOf(after)),
  ]
  return [
    ...fixed.map(detail => ({ ...detail, restarts: true })),
    ...live.map(detail => ({ ...detail, restarts: false })),
  ]
}

function compared(before: Named, after: Named): Omit<Detail, 'restarts'>[] {
  const [old, next] = [new Map(before), new Map(after)]
  return [...new Set([...old.keys(), ...next.keys()])].flatMap(what => {
    const [was, is] = [old.get(what) ?? '', next.get(what) ?? '']
    return was === is ? [] : [{ what, before: was, after: is }]
  })
}

/** What its virtual machine is started with. */
function machineOf({ id, memMiB, vcpus, nets, setup }: NodePlan, settings: Settings): Named {
  return [
    ['memory', `${memMiB} MiB`],
    ['processors', `${vcpus}`],
    ['nets', nets.map(({ net }) => net).join(',')],
    ['kernel parameters', appendedTo(id, settings)],
    ...setup.bridges.map(
      ({ name, mac, ports, ipv4 }) => [`bridge ${name}`, [ipv4, mac, ...ports].join(' ')] as const,
    ),
    ...softwareSettings.map(key => [`setting ${key}`, softwareText(key, id, settings)] as const),
  ]
}

function softwareText(key: string, id: number, settings: Settings): string {
  const isOfNode = table[key as NodeSettingKey].scope === 'node'
  const values = isOfNode
    ? settingsFor(settings, key as NodeSettingKey, id)
    : [(settings as unknown as Readonly<Record<string, unknown>>)[key]]
  const counting = key === 'with' ? values : values.slice(-1) // a node has the programs of all of them
  return counting
    .map(value => text(key, value))
    .filter(Boolean)
    .join(',')
}

/** What its guest is configured for, while it runs. */
function configurationOf({ nets, setup }: NodePlan): Named {
  return [
    ['forwarding', setup.forwarding ? 'on' : ''],
    ...nets.map(({ dev, ipv4 = '' }) => [`address of ${dev}`, ipv4] as const),
    ...setup.routes.map(route => [routeName(route), hopsText(route.hops)] as const),
    ...setup.rules.map(
      ({ dev, ipv4, ipv6 }) => [`rule for packets out of ${dev}`, tablesText({ ipv4, ipv6 })] as const,
    ),
    ...setup.masquerade.map(({ ipv4 }) => [`masquerade of ${ipv4}`, 'on'] as const),
  ]
}

function linksOf({ impairments = {} }: Pick<NodePlan, 'impairments'>): Named {
  return Object.entries(impairments).flatMap(([dev, { received = {}, ...own }]) => [
    [`impairment of ${dev}`, impairmentText(own)] as const,
    [`impairment of ${dev}, received`, impairmentText(received)] as const,
  ])
}

function routeName({ to, table }: RoutePlan): string {
  const place = table ? ` in ${tablesText(table)}` : ''
  return `route ${to === 'default' ? to : to.ipv4}${place}`
}

function tablesText({ ipv4, ipv6 }: { readonly ipv4: number; readonly ipv6: number }): string {
  return ipv4 === ipv6 ? `table ${ipv4}` : `table ${ipv4}, IPv6: ${ipv6}`
}

function hopsText(hops: readonly Hop[]): string {
  return hops
    .map(({ dev, ipv4 }) => (ipv4 === undefined ? `over ${dev}` : `via ${ipv4} over ${dev}`))
    .join(' and ')
}
