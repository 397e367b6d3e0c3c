import { constants } from 'node:os'
import { type Places, settingText } from '../base/index.ts'
import {
  addBridgesTo,
  addNamespace,
  type ChangedSysctl,
  dockerVethPair,
  type NamedNamespaceSpec,
  removeNamespace,
  settleForwarding as settleForwardingIn,
  vethPairOf,
} from '../net/index.ts'
import {
  type BridgeSpec,
  type Environment,
  hostAddresses,
  planBridges,
  planUplink,
  type Settings,
  subnetOf,
} from '../plan/index.ts'
import { NetNamespace, namedPath, nameOf, openNamed, runAttached } from '../sys/index.ts'
import { HostError } from './errors.ts'

/** Identifies the namespace `<user>_xcluster<index>`. */
export interface Numbered {
  readonly user: string
  readonly index: number
}

/** A named namespace that was added. */
export interface AddedNamespace {
  /** `<user>_xcluster<index>` */
  readonly name: string
  /** For `nsenter --net=`. */
  readonly path: string
  /** The host's end of its uplink. */
  readonly link: string
  /** The addresses of the uplink's end inside. */
  readonly inside: readonly string[]
  readonly bridges: readonly string[]
  /** Sysctls of the host that were changed, with their values before. */
  readonly sysctls: readonly ChangedSysctl[]
}

function namespaceName({ user, index }: Numbered): string {
  return `${user}_xcluster${index}`
}

/**
 * Makes a named network namespace with bridges for nets 0 to 2 and an uplink. With `docker` the uplink is a port of
 * Docker's bridge. Throws NAMESPACE_EXISTS, UPLINK_TAKEN, UPLINK_OVERLAP, DOCKER_MISSING and DOCKER_NARROW.
 */
export async function addNamedNamespace(
  which: Numbered & { readonly docker?: boolean },
  { settings, places }: { readonly settings: Settings; readonly places: Places },
): Promise<AddedNamespace> {
  await using outside = NetNamespace.current()
  const { ipv4Base, ipv6Prefix, prefix, mtu } = settings
  const name = namespaceName(which)
  const path = namedPath(name)
  const uplink = planUplink({ index: which.index, ipv4Base, ipv6Prefix })
  const cable = which.docker ? await dockerVethPair(which.index, name, outside) : vethPairOf(uplink, name)
  const spec: NamedNamespaceSpec = {
    ...{ name, cable, mtu, sources: subnetOf(prefix, 0), bridges: bridgesOf([0, 1, 2], settings) },
    ...(!which.docker && { base: uplink.base }),
  }
  const sysctls = await addNamespace(spec, { outside, records: places.runtime })
  return {
    ...{ name, path, link: cable.outside.name, sysctls },
    inside: cable.inside.addresses.map(({ address }) => address),
    bridges: spec.bridges.map(bridge => bridge.name),
  }
}

/**
 * Removes a named network namespace with its uplink, and returns its name. Throws NAMESPACE_MISSING, and
 * NAMESPACE_IN_USE while a cluster runs in it.
 */
export async function removeNamedNamespace(which: Numbered, places: Places): Promise<string> {
  await using outside = NetNamespace.current()
  const name = namespaceName(which)
  await removeNamespace(name, { outside, records: places.runtime })
  return name
}

/** Runs a command in it, on this terminal, and returns the exit status. `ip netns exec <name> <command>` */
export async function enterNamedNamespace(
  which: Numbered,
  { command, env }: { readonly command: readonly string[]; readonly env: Environment },
): Promise<number> {
  const name = namespaceName(which)
  await openNamed(name).close() // throws NAMESPACE_MISSING
  const { code, signal } = await runAttached('ip', ['netns', 'exec', name, ...command], {
    ...env,
    __netns: name,
  })
  return code ?? 128 + constants.signals[signal!]
}

/**
 * Makes the bridge of a net in a named namespace: that of the settings, or the current one. `made` is false when the
 * bridge exists already. Throws NAMESPACE_UNNAMED and BRIDGE_DIFFERS.
 */
export async function addNamedBridge(
  net: number,
  settings: Settings,
): Promise<{ bridge: string; netns: string; made: boolean }> {
  const netns = settings.netns || (await currentName())
  await using namespace = openNamed(netns)
  const [bridge] = bridgesOf([net], settings) as [BridgeSpec]
  const made = await addBridgesTo(namespace, [bridge], settings)
  return { bridge: bridge.name, netns, made: made.length > 0 }
}

/**
 * Restores the host's forwarding sysctls when no uplink needs them any more. Waits up to `withinMs` milliseconds for
 * the last uplink to go.
 */
export async function settleForwarding(
  { runtime }: Places,
  wait: { readonly withinMs: number },
): Promise<void> {
  await using outside = NetNamespace.current()
  await settleForwardingIn(outside, runtime, wait)
}

function bridgesOf(nets: readonly number[], { mtu, prefix, hostNets }: Settings): readonly BridgeSpec[] {
  const host = hostAddresses(
    prefix,
    hostNets.filter(net => nets.includes(net)),
  )
  return planBridges({ mtu, nodes: [{ id: 1, nets }], host }).bridges
}

/** The name of the current namespace. One without a name is refused, so that no bridge is made there by mistake. */
async function currentName(): Promise<string> {
  await using current = NetNamespace.current()
  const name = nameOf(current)
  if (name !== undefined) return name
  throw new HostError({
    code: 'NAMESPACE_UNNAMED',
    kind: 'usage',
    op: 'add bridge',
    reason: 'the current network namespace has no name, and clusters cannot use a bridge in it',
    remedy: `Give the namespace (${settingText('netns')}), or run this inside it`,
  })
}
