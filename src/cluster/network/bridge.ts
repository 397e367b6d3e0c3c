import { Scope, settingText } from '../../base/index.ts'
import {
  type Fabric,
  forwardingObstacles,
  openBridgeFabric,
  openPasta,
  openUplink,
  type Uplink,
} from '../../net/index.ts'
import type { ClusterPlan } from '../../plan/index.ts'
import { type Settings, subnetOf } from '../../plan/index.ts'
import { NetNamespace, openNamed } from '../../sys/index.ts'
import { ClusterError } from '../errors.ts'

export interface NetworkOptions {
  readonly settings: Settings
  /** The runtime directory: its record of the host's forwarding sysctls before the first uplink. */
  readonly records: string
  /** PATH, to find pasta. */
  readonly searchPath: string
  readonly notice: (text: string) => void
}

/** Makes bridges in a new namespace, or in the named one of the settings, and an uplink if the settings want one. */
export async function openBridgeNetwork(
  plan: Pick<ClusterPlan, 'name' | 'prefix' | 'bridges'>,
  options: NetworkOptions,
): Promise<Fabric> {
  const { netns, uplink } = options.settings
  await using scope = new Scope()
  const where = netns ? { namespace: scope.add(openNamed(netns)) } : {}
  const fabric = scope.add(await openBridgeFabric(plan.bridges, where))
  if (uplink === 'off' && !netns) {
    scope.move()
    return fabric
  }
  const opened = uplink === 'off' ? undefined : await uplinkFrom(fabric.namespace, plan, { options, scope })
  const { status } = opened ?? {}
  const open = scope.move()
  const close = () => open.close()
  return {
    kind: fabric.kind,
    namespace: fabric.namespace,
    ...(status && { uplink: status }),
    nics: node => fabric.nics(node),
    capture: (spec, receiver) => fabric.capture(spec, receiver),
    traffic: () => fabric.traffic(),
    change: next => fabric.change(next),
    close,
    [Symbol.asyncDispose]: close,
  }
}

/** Opens an uplink from the cluster's namespace to the one that this process runs in. */
async function uplinkFrom(
  inside: NetNamespace,
  { name, prefix }: Pick<ClusterPlan, 'name' | 'prefix'>,
  {
    options: { settings, records, searchPath, notice },
    scope,
  }: { readonly options: NetworkOptions; readonly scope: Scope },
): Promise<Partial<Uplink>> {
  const { uplink, ipv4Base, ipv6Prefix } = settings
  const index = typeof uplink === 'number' ? { index: uplink } : {}
  const sources = subnetOf(prefix, 0)
  if (inside.userFd !== undefined) {
    const as = { index: 0, ...index, ipv4Base, ipv6Prefix }
    return scope.add(await openPasta(as, { inside, sources, searchPath }))
  }
  const outside = scope.add(NetNamespace.current())
  for (const { what, remedy } of await forwardingObstacles(outside))
    notice(`This machine may drop packets of the cluster's uplink: ${what}. ${remedy}.`)
  return scope.add(
    await openUplink({ ...index, ipv4Base, ipv6Prefix }, { owner: name, inside, outside, sources, records }),
  )
}

/** Throws NETWORK_SETTINGS for settings that exclude each other. */
export function refuseSettings({ fabric, netns, uplink }: Settings): void {
  if (fabric === 'user' && (netns || uplink !== 'off'))
    throw excluded(
      'a user-space network has no namespace, and reaches the outside without an uplink',
      settingText('fabric', 'user'),
    )
  if (netns && uplink !== 'off')
    throw excluded('a named namespace has an uplink of its own, made when it was added', settingText('netns'))
}

function excluded(reason: string, other: string): ClusterError {
  const remedy = `Leave out ${settingText('uplink')}${other === settingText('netns') ? '' : ` and ${settingText('netns')}`}, or ${other}`
  const about = { op: 'open network', target: other, reason, remedy }
  return new ClusterError({ ...about, code: 'NETWORK_SETTINGS', kind: 'usage' })
}
