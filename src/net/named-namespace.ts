import type { ChangedSysctl } from '../api/index.ts'
import { Scope } from '../base/index.ts'
import { openNft } from '../nft/index.ts'
import type { BridgeSpec, Pair } from '../plan/index.ts'
import { openRoute } from '../rtnl/index.ts'
import {
  lockNamespace,
  NetNamespace,
  nameNamespace,
  namespaceNames,
  openNamed,
  unnameNamespace,
} from '../sys/index.ts'
import { addBridges, bridgesThere, turnOffFilters } from './bridge/bridges.ts'
import { NetError } from './errors.ts'
import { forward, restoreForwarding } from './uplink/forwarding.ts'
import { masqueradeBase } from './uplink/nat.ts'
import { openInside, outsideTable, removeLink } from './uplink/uplink.ts'
import { addVethPair, isCoded, ownerIn, refuseOverlap, type VethPair } from './uplink/veth-pair.ts'

/** A network namespace that stays, in which clusters can be started. */
export interface NamedNamespaceSpec {
  /** Its name in `ip netns`. */
  readonly name: string
  readonly cable: VethPair
  /**
   * The subnets that the outside masquerades. Absent where other software does that, as Docker does for its
   * bridge.
   */
  readonly base?: Pair
  readonly sources: Pair
  readonly bridges: readonly BridgeSpec[]
  readonly mtu: number
}

export interface HostSide {
  /** The namespace that the uplink leads to. */
  readonly outside: NetNamespace
  /** Directory for the record of how the outside was before. */
  readonly records: string
}

/**
 * Makes a namespace with a name, an uplink and bridges, all or nothing. None of it belongs to a process.
 * Equivalent: `ip netns add`, `ip link add … type veth`, `nft add table …`, `ip link add … type bridge`.
 */
export async function addNamespace(
  spec: NamedNamespaceSpec,
  { outside, records }: HostSide,
): Promise<readonly ChangedSysctl[]> {
  await using undo = new Scope()
  await using inside = NetNamespace.create()
  nameNamespace(inside, spec.name)
  undo.defer(() => unnameNamespace(spec.name))
  if (spec.base) await refuseTakenBase(spec.base, outside)
  undo.defer(async () => void (await restoreForwarding(outside, records)))
  await addVethPair(spec.cable, { inside, outside })
  undo.defer(() => removeLink(spec.cable.outside.name, outside))
  await fill(spec, inside)
  const sysctls = spec.base ? await openOutside(spec.name, spec.base, { outside, records }) : []
  undo.move()
  return sysctls
}

async function refuseTakenBase(base: Pair, outside: NetNamespace): Promise<void> {
  await using route = openRoute({ namespace: outside })
  await refuseOverlap({ base }, route)
}

/** Makes the parts inside: `lo`, the uplink, bridges. */
async function fill(
  { cable, sources, bridges, mtu }: NamedNamespaceSpec,
  inside: NetNamespace,
): Promise<void> {
  await using route = openRoute({ namespace: inside })
  turnOffFilters(inside)
  await route.links.change({ name: 'lo', up: true })
  await openInside({ namespace: inside, link: cable.inside.name, sources })
  await route.batch(batch => addBridges(bridges, { mtu }, batch))
}

async function openOutside(
  name: string,
  base: Pair,
  { outside, records }: HostSide,
): Promise<readonly ChangedSysctl[]> {
  const table = outsideTable(name)
  await using _ = await masqueradeBase(base, { namespace: outside, table })
  try {
    return await forward(outside, records)
  } catch (failure) {
    await removeTable(table, outside)
    throw failure
  }
}

/** Removes such a namespace and its parts outside, even when its name has been removed already. */
export async function removeNamespace(name: string, { outside, records }: HostSide): Promise<void> {
  await using route = openRoute({ namespace: outside })
  const links = (await route.links.list()).filter(({ alias }) => ownerIn(alias) === name)
  const named = namespaceNames().includes(name)
  if (named || links.length === 0) await refuseInUse(name)
  if (named) unnameNamespace(name)
  for (const link of links) await removeLink(link.name, outside)
  await removeTable(outsideTable(name), outside)
  await restoreForwarding(outside, records)
}

async function refuseInUse(name: string): Promise<void> {
  await using namespace = openNamed(name)
  await using lock = lockNamespace(namespace)
  if (lock) return
  throw new NetError({
    code: 'NAMESPACE_IN_USE',
    op: 'remove network namespace',
    target: name,
    reason: 'a cluster runs in it',
    remedy: 'Stop the cluster first',
  })
}

/** Adds bridges to a namespace. Returns the names of those that did not exist yet. */
export async function addBridgesTo(
  namespace: NetNamespace,
  bridges: readonly BridgeSpec[],
  { mtu }: { readonly mtu: number },
): Promise<string[]> {
  await using route = openRoute({ namespace })
  const there = new Set((await bridgesThere(bridges, { mtu }, route)).map(({ name }) => name))
  const missing = bridges.filter(({ name }) => !there.has(name))
  await route.batch(batch => addBridges(missing, { mtu }, batch))
  return missing.map(({ name }) => name)
}

async function removeTable(name: string, namespace: NetNamespace): Promise<void> {
  await using nft = openNft({ namespace })
  try {
    await nft.transaction(({ tables }) => tables.remove({ family: 'inet', name }))
  } catch (failure) {
    if (!isCoded(failure, 'NETLINK_NOT_FOUND')) throw failure
  }
}
