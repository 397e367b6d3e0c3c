import { Scope } from '../../base/index.ts'
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
  /** Where it is written down how the host was before there were ways out. */
  readonly records: string
  /** PATH: where pasta is looked for. */
  readonly searchPath: string
  readonly notice: (text: string) => void
}

/** Bridges in a namespace of the cluster's own, or in one that has a name; with a way out if one is asked for. */
export async function openBridgeNetwork(
  plan: Pick<ClusterPlan, 'name' | 'prefix' | 'bridges'>,
  wish: NetworkOptions,
): Promise<Fabric> {
  const { netns, uplink } = wish.settings
  await using scope = new Scope()
  const where = netns ? { namespace: scope.add(openNamed(netns)) } : {}
  const fabric = scope.add(await openBridgeFabric(plan.bridges, where))
  if (uplink === 'off' && !netns) {
    scope.move()
    return fabric
  }
  const out = uplink === 'off' ? undefined : await openWay(plan, fabric.namespace, { wish, scope })
  const { status } = out ?? {}
  const open = scope.move()
  const close = () => open.close()
  return {
    kind: fabric.kind,
    namespace: fabric.namespace,
    ...(status && { uplink: status }),
    nics: node => fabric.nics(node),
    change: next => fabric.change(next),
    close,
    [Symbol.asyncDispose]: close,
  }
}

/** From the cluster's namespace to the one that this process runs in. */
async function openWay(
  { name, prefix }: Pick<ClusterPlan, 'name' | 'prefix'>,
  inside: NetNamespace,
  {
    wish: { settings, records, searchPath, notice },
    scope,
  }: { readonly wish: NetworkOptions; readonly scope: Scope },
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
    notice(`Packets to the outside may be lost here: ${what}. ${remedy}.`)
  return scope.add(
    await openUplink({ ...index, ipv4Base, ipv6Prefix }, { owner: name, inside, outside, sources, records }),
  )
}

/** Settings that exclude each other. */
export function refuseSettings({ fabric, netns, uplink }: Settings): void {
  if (fabric === 'user' && (netns || uplink !== 'off'))
    throw excluded('a network in user space has no namespace, and a way out anyway', '--fabric user')
  if (netns && uplink !== 'off')
    throw excluded('a named namespace has a way out of its own, made by `xc nsadd`', '--netns')
}

function excluded(reason: string, other: string): ClusterError {
  const remedy = `Leave out --uplink${other === '--netns' ? '' : ' and --netns'}, or ${other}`
  const about = { op: 'open network', target: other, reason, remedy }
  return new ClusterError({ ...about, code: 'NETWORK_SETTINGS', kind: 'usage' })
}
