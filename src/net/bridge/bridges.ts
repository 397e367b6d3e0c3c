import type { Cidr } from '../../base/index.ts'
import { type BridgePlan, type BridgeSpec, mtuOf } from '../../plan/index.ts'
import { type Batch, bridge, type Link, type Route } from '../../rtnl/index.ts'
import { type NetNamespace, readSysctl, SysError, writeSysctl } from '../../sys/index.ts'
import { NetError } from '../errors.ts'

/** Lets LLDP through, 01:80:c2:00:00:0e, which a bridge keeps to itself by default (IEEE 802.1D §7.12.6). */
const forwardLldp = 0x4000

export interface BridgeOptions extends Pick<BridgePlan, 'mtu' | 'mtus'> {
  /** A number by which they are removed together. */
  readonly group?: number
  /** Usually they are up at once; else down and without multicast snooping, until {@link raise}. */
  readonly up?: boolean
}

/** Makes bridges with the host's addresses on them. `ip link add <name> type bridge …; ip address add …` */
export function addBridges(
  bridges: readonly BridgeSpec[],
  { group, up = true, ...mtus }: BridgeOptions,
  route: Route,
): Promise<void> {
  return route.batch(({ links, addresses }) => {
    for (const { net, name, index, mac, addresses: own } of bridges) {
      // A bridge on which the host is not has no address at all, not even one of its link.
      const addrGenMode = own.length > 0 ? 'eui64' : 'none'
      const settings = { groupFwdMask: forwardLldp, stp: false, ...(group !== undefined && { group }) }
      const quiet = up ? {} : { multicastSnooping: false }
      const mtu = mtuOf(mtus, net)
      links.add(bridge({ name, index, mtu, mac, addrGenMode, up, ...settings, ...quiet }))
      for (const each of own) addresses.add({ link: index, ...each, noDad: true })
    }
  })
}

/**
 * Bridges up that were made down. Those that come up after their ports, and look into multicast after that, save the
 * kernel a sixth of its time: at each port that joins it goes through all of them (br_port_state_selection).
 */
export function raise(bridges: readonly number[], { links }: Pick<Batch, 'links'>): void {
  for (const index of bridges) links.change({ index, up: true })
  for (const index of bridges) links.change({ index, bridge: { multicastSnooping: true } })
}

/**
 * Those of the bridges that are there already, with the indexes that they have. One with other settings than we
 * would make it with throws BRIDGE_DIFFERS: somebody means something else by it.
 */
export async function bridgesThere(
  bridges: readonly BridgeSpec[],
  mtus: BridgeOptions,
  route: Route,
): Promise<BridgeSpec[]> {
  const links = new Map((await route.links.list()).map(link => [link.name, link]))
  const there = bridges.flatMap(spec => ({ spec, link: links.get(spec.name) }))
  const found: BridgeSpec[] = []
  for (const { spec, link } of there) {
    if (!link) continue
    const difference =
      differenceOf(link, { spec, mtu: mtuOf(mtus, spec.net) }) ?? (await otherAddresses(link, spec, route))
    if (difference) throw differs(spec.name, difference)
    found.push({ ...spec, index: link.index })
  }
  return found
}

function differenceOf(link: Link, { spec, mtu }: { spec: BridgeSpec; mtu: number }): string | undefined {
  if (link.kind !== 'bridge') return `it is a ${link.kind ?? 'device'}, no bridge`
  const settings = [
    ['MTU', link.mtu, mtu],
    ['Ethernet address', link.mac, spec.mac],
    ['group_fwd_mask', link.bridge?.groupFwdMask, forwardLldp],
    ['STP', link.bridge?.stp ? 'on' : 'off', 'off'],
    ['state', link.up ? 'up' : 'down', 'up'],
  ] as const
  const other = settings.find(([, is, wanted]) => is !== wanted)
  return other && `its ${other[0]} is ${other[1]}, not ${other[2]}`
}

async function otherAddresses(link: Link, spec: BridgeSpec, route: Route): Promise<string | undefined> {
  const all = await route.addresses.list({ link: link.index })
  const text = (addresses: readonly Cidr[]) =>
    addresses.map(({ address, prefix }) => `${address}/${prefix}`).sort()
  const [is, wanted] = [text(all.filter(({ scope }) => scope === 0)), text(spec.addresses)]
  if (is.join() === wanted.join()) return undefined
  return `its addresses are ${is.join(', ') || 'none'}, not ${wanted.join(', ') || 'none'}`
}

const filters = ['arptables', 'ip6tables', 'iptables'].map(table => `net/bridge/bridge-nf-call-${table}`)

/** In here, bridged frames are nobody's to filter. The files are there, all of them, where br_netfilter is loaded. */
export function leaveFramesAlone(namespace: NetNamespace): void {
  whereThere(() => {
    for (const name of filters) writeSysctl(namespace, name, '0')
  })
}

/** The same in a namespace that stays; gives what takes it back. */
export function leaveFramesAloneHere(namespace: NetNamespace): () => void {
  const changed = filters.filter(name => whereThere(() => readSysctl(namespace, name)) === '1')
  leaveFramesAlone(namespace)
  return () => {
    for (const name of changed) writeSysctl(namespace, name, '1')
  }
}

function whereThere<T>(work: () => T): T | undefined {
  try {
    return work()
  } catch (failure) {
    if (failure instanceof SysError && failure.errnoName === 'ENOENT') return undefined
    throw failure
  }
}

function differs(name: string, reason: string): NetError {
  return new NetError({
    code: 'BRIDGE_DIFFERS',
    op: 'use bridge',
    target: name,
    reason: `it is there already and ${reason}`,
    remedy: 'Remove it, or say what it is like (--mtu, --host-nets, xcluster_PREFIX)',
  })
}
