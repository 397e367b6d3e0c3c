import type { Cidr } from '../../base/index.ts'
import { settingText } from '../../base/index.ts'
import { type BridgePlan, type BridgeSpec, mtuOf } from '../../plan/index.ts'
import { type Batch, bridge, type Link, type Route } from '../../rtnl/index.ts'
import { type NetNamespace, readSysctl, SysError, writeSysctls } from '../../sys/index.ts'
import { NetError } from '../errors.ts'

/** Forwards LLDP, 01:80:c2:00:00:0e, which a bridge does not do by default (IEEE 802.1D §7.12.6). */
const forwardLldp = 0x4000

export interface BridgeOptions extends Pick<BridgePlan, 'mtu' | 'mtus'> {
  /** A number for removing them together. */
  readonly group?: number
  /** Default: up at once. False: down and without multicast snooping, until {@link raise}. */
  readonly up?: boolean
}

/** Adds bridges with the host's addresses. `ip link add <name> type bridge …; ip address add …` */
export function addBridges(
  bridges: readonly BridgeSpec[],
  { group, up = true, ...mtus }: BridgeOptions,
  { links, addresses }: Pick<Batch, 'links' | 'addresses'>,
): void {
  for (const { net, name, index, mac, addresses: own } of bridges) {
    // A bridge without the host has no address at all, not even a link-local one.
    const addrGenMode = own.length > 0 ? 'eui64' : 'none'
    const settings = { groupFwdMask: forwardLldp, stp: false, ...(group !== undefined && { group }) }
    const quiet = up ? {} : { multicastSnooping: false }
    const mtu = mtuOf(mtus, net)
    links.add(bridge({ name, index, mtu, mac, addrGenMode, up, ...settings, ...quiet }))
    for (const each of own) addresses.add({ link: index, ...each, noDad: true })
  }
}

/**
 * Brings up bridges that were made down. The kernel takes a sixth less time when bridges come up after their
 * ports and start multicast snooping after that: at each port that joins it goes through all the others
 * (br_port_state_selection).
 */
export function raise(bridges: readonly number[], { links }: Pick<Batch, 'links'>): void {
  for (const index of bridges) links.change({ index, up: true })
  for (const index of bridges) links.change({ index, bridge: { multicastSnooping: true } })
}

/**
 * The existing ones of these bridges, with their indexes. Throws BRIDGE_DIFFERS for one with other settings
 * than those in the plan: it has another purpose.
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
  if (link.kind !== 'bridge') return `it is a ${link.kind ?? 'device'} and not a bridge`
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

/**
 * Bridged frames in this namespace are not filtered. The sysctls exist, all of them, when br_netfilter is
 * loaded.
 */
export function turnOffFilters(namespace: NetNamespace): void {
  whereThere(() => writeSysctls(namespace, filters, '0'))
}

/** The same in a namespace that stays. Returns the function that restores the settings. */
export function turnOffFiltersHere(namespace: NetNamespace): () => void {
  const changed = filters.filter(name => whereThere(() => readSysctl(namespace, name)) === '1')
  turnOffFilters(namespace)
  return () => {
    writeSysctls(namespace, changed, '1')
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
    reason: `a bridge with this name exists, and ${reason}`,
    remedy: `Remove it, or give matching settings (${['mtu', 'hostNets', 'prefix'].map(key => settingText(key)).join(', ')})`,
  })
}
