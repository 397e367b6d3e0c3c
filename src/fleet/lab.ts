import { createHash } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { settingText } from '../base/index.ts'
import { freeMemory, nodeMiB, templatesMiB } from '../host/index.ts'
import type { TunnelSpec } from '../net/index.ts'
import {
  type ClusterPlan,
  contains,
  mtuOf,
  partOf,
  planCluster,
  type Settings,
  topologyOf,
} from '../plan/index.ts'
import { entriesOn, type NetBetween, netsBetween } from './between.ts'
import { cpuHere } from './cpus.ts'
import { FleetError } from './errors.ts'
import { type HostRoom, type Placement, place } from './placement.ts'
import { mtuBetween } from './seal.ts'

/** The smallest MTU with which IPv6 works (RFC 8200 §5). */
const leastMtu = 1280

/** A lab with the host of each node. */
export interface PlacedLab {
  /** Of all nodes. */
  readonly plan: ClusterPlan
  readonly settings: Settings
  readonly placement: Placement
  readonly nets: readonly NetBetween[]
}

/** The hosts of a lab's nodes. Throws HOST_TOO_SMALL and HOST_NUMBER. */
export function placeLab(settings: Settings, hosts: readonly HostRoom[]): Placement {
  const { nodes } = planCluster(settings)
  const clones = settings.clone === 'always'
  const sized = nodes.map(node => ({
    id: node.id,
    needMiB: nodeMiB(node, clones),
    templateMiB: templatesMiB([node], clones),
    vcpus: node.vcpus,
    nets: node.nets.map(({ net }) => net),
  }))
  const own = topologyOf(settings.topology).hosts ?? []
  return place(sized, hosts, id => own.findLast(({ of }) => contains(of, id))?.host)
}

/** The lab on `count` hosts that are like this one, with the usual MTU of 1500 between them. */
export function placedHere(
  settings: Settings,
  { count, encrypt = false }: { readonly count: number; readonly encrypt?: boolean },
): PlacedLab & { readonly hosts: number; readonly cpu: string } {
  const { freeMiB } = freeMemory()
  const rooms = Array.from({ length: count }, (_, host) => ({
    ...{ name: `host ${host}`, freeMiB, processors: availableParallelism() },
  }))
  const placement = placeLab(settings, rooms)
  const mtu = mtuBetween(1500, '10.0.0.1', encrypt)
  return {
    ...planLab(settings, { placement, mtu, job: 'lab' }),
    ...{ hosts: count, cpu: cpuHere(settings).model },
  }
}

/** What is known of the hosts when their nodes are placed. */
export interface Between {
  readonly placement: Placement
  /** The largest MTU of a net between hosts. */
  readonly mtu: number
  /** The hosts that have room for no more, where others have. */
  readonly narrow?: string | undefined
  readonly job: string
}

/** The whole plan: nets between hosts have the MTU that fits. Throws NETS_BETWEEN for what nets between hosts cannot have. */
export function planLab(given: Settings, { placement, mtu, narrow, job }: Between): PlacedLab {
  const first = planCluster(given)
  const nets = netsBetween(first.nodes, placement, `${job} ${given.name}`)
  if (nets.length === 0) return { plan: first, settings: given, placement, nets }
  const smaller = nets.filter(({ net }) => mtuOf(first.bridges, net) > mtu).map(({ net }) => net)
  const asked = smaller.find(net => isAsked(given, net))
  if (asked !== undefined || mtu < leastMtu) throw tooLarge(asked, { mtu, narrow })
  const taken = first.bridges.bridges.find(
    ({ net, addresses }) => addresses.length > 0 && nets.some(each => each.net === net),
  )
  if (taken) throw hostOnNet(taken.net)
  const own = Object.fromEntries(smaller.map(net => [`mtu${net}`, mtu]))
  const fabric = given.fabric === 'auto' ? 'bridge' : given.fabric
  const settings = { ...given, ...own, fabric } as Settings
  return { plan: planCluster(settings), settings, placement, nets }
}

/** The usual MTU may be lowered without asking. */
function isAsked(settings: Settings, net: number): boolean {
  const own = (settings as unknown as Readonly<Record<string, unknown>>)[`mtu${net}`]
  return own !== undefined || settings.mtu !== 1500
}

/** The plan of one host's part. */
export function planOn(
  host: number,
  { plan, placement }: Pick<PlacedLab, 'plan' | 'placement'>,
): ClusterPlan {
  return partOf(plan, new Set([...placement].flatMap(([id, at]) => (at === host ? [id] : []))))
}

/** The tunnels of one host. `addresses` are those of all hosts, by number. */
export function tunnelsOn(
  host: number,
  { nets, plan }: PlacedLab,
  addresses: readonly string[],
): TunnelSpec[] {
  return nets
    .filter(({ hosts }) => hosts.has(host))
    .map(net => ({
      net: net.net,
      vni: net.vni,
      mtu: mtuOf(plan.bridges, net.net),
      entries: entriesOn(host, net).map(entry => ({ mac: entry.mac, remote: addresses[entry.host]! })),
    }))
}

/** The same on two hosts if they have the same lab. */
export function labDigest(settings: Settings): string {
  const { hosts = [] } = topologyOf(settings.topology)
  const text = JSON.stringify([planCluster(settings), hosts, settings.domain, settings.clone])
  return createHash('sha256').update(text).digest('hex')
}

function tooLarge(net: number | undefined, { mtu, narrow }: Pick<Between, 'mtu' | 'narrow'>): FleetError {
  return new FleetError({
    code: 'NETS_BETWEEN',
    kind: 'prerequisite',
    op: 'join',
    target: net === undefined ? 'nets' : `net ${net}`,
    reason: `between the hosts there is room for an MTU of ${mtu}${narrow ? `, because of ${narrow}` : ''}`,
    remedy:
      net === undefined
        ? 'Raise the MTU of the network between the hosts: 1350 or more'
        : `Leave out ${settingText('mtu')}, or raise the MTU of the network between the hosts`,
  })
}

function hostOnNet(net: number): FleetError {
  return new FleetError({
    code: 'NETS_BETWEEN',
    kind: 'usage',
    op: 'join',
    target: `net ${net}`,
    reason: 'the host has addresses there, and each of several hosts would have the same',
    remedy: `Leave it out of ${settingText('hostNets')}, or keep its nodes on one host (host: in the file)`,
  })
}
