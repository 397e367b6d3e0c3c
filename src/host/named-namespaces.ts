import { constants } from 'node:os'
import type { Places } from '../base/index.ts'
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

/** Which namespace: `<user>_xcluster<index>`. */
export interface Numbered {
  readonly user: string
  readonly index: number
}

export interface AddedNamespace {
  readonly name: string
  /** For `nsenter --net=`. */
  readonly path: string
  readonly link: string
  readonly inside: readonly string[]
  readonly bridges: readonly string[]
  /** Outside, as they were before. */
  readonly sysctls: readonly ChangedSysctl[]
}

/** What a named namespace is called. */
function namespaceName({ user, index }: Numbered): string {
  return `${user}_xcluster${index}`
}

/** Makes a named namespace, with a way out of its own or, `docker`, on Docker's bridge. */
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

/** Takes it away with all that belongs to it; gives its name. */
export async function removeNamedNamespace(which: Numbered, places: Places): Promise<string> {
  await using outside = NetNamespace.current()
  const name = namespaceName(which)
  await removeNamespace(name, { outside, records: places.runtime })
  return name
}

/** Runs a command there, on our terminal; gives its exit status. `ip netns exec <name> <command>` */
export async function enterNamedNamespace(
  which: Numbered,
  { command, env }: { readonly command: readonly string[]; readonly env: Environment },
): Promise<number> {
  const name = namespaceName(which)
  await openNamed(name).close() // says so if there is none
  const { code, signal } = await runAttached('ip', ['netns', 'exec', name, ...command], {
    ...env,
    __netns: name,
  })
  return code ?? 128 + constants.signals[signal!]
}

/** Makes one more bridge where there are some; `made` says whether it was not there yet. */
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

/** Puts the settings outside back as they were, once there is no way out that needs them any more. */
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

/** The name of the namespace that we are in: bridges are made nowhere else by mistake. */
async function currentName(): Promise<string> {
  await using current = NetNamespace.current()
  const name = nameOf(current)
  if (name !== undefined) return name
  throw new HostError({
    code: 'NAMESPACE_UNNAMED',
    kind: 'usage',
    op: 'add bridge',
    reason: 'this is no named network namespace, and a bridge here would be of no use to clusters',
    remedy: 'Say where (--netns NAME), or do it inside: xc nsenter INDEX',
  })
}
