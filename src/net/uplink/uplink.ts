import type { UplinkStatus } from '../../api/index.ts'
import { Scope } from '../../base/index.ts'
import { type Pair, planUplink, type UplinkPlan, type UplinkRequest } from '../../plan/index.ts'
import { openRoute } from '../../rtnl/index.ts'
import { type NetNamespace, writeSysctl } from '../../sys/index.ts'
import { forward, restoreForwarding } from './forwarding.ts'
import { masqueradeBase, masqueradeNet0 } from './nat.ts'
import { addVethPair, freeIndex, isCoded, refuseOverlap, vethPairOf } from './veth-pair.ts'

export interface UplinkOptions {
  /** Its owner: part of the table's name. */
  readonly owner: string
  readonly inside: NetNamespace
  /** The namespace that the uplink leads to. */
  readonly outside: NetNamespace
  /** The subnets of net 0, whose packets leave with the uplink's addresses. */
  readonly sources: Pair
  /** Directory for the record of how the outside was before. */
  readonly records: string
}

/**
 * A namespace's uplink: a veth pair, a table, and forwarding. Closing it removes them and restores
 * forwarding.
 */
export interface Uplink extends AsyncDisposable {
  readonly status: UplinkStatus
  close(): Promise<void>
}

/** The name of an owner's table outside. */
export const outsideTable = (owner: string): string => `xcluster_${owner}`

/**
 * Gives a namespace an uplink, all or nothing. When this process is killed the kernel removes everything
 * except the sysctls: {@link restoreForwarding} restores those. Without an index it takes the first free one.
 */
export async function openUplink(
  request: Omit<UplinkRequest, 'index'> & { readonly index?: number },
  options: UplinkOptions,
): Promise<Uplink> {
  await using scope = new Scope()
  const { owner, inside, outside, records } = options
  // Undone in reverse order: forwarding after the veth pair is gone.
  scope.defer(async () => void (await restoreForwarding(outside, records)))
  const plan = await openFirstFree(request, options)
  scope.defer(() => removeLink(plan.link, outside))
  await openInside({ namespace: inside, link: plan.peer, sources: options.sources })
  const table = outsideTable(owner)
  scope.add(await masqueradeBase(plan.base, { namespace: outside, table, owner: true }))
  const sysctls = await forward(outside, records)
  const status = { ...endsOf(plan), table: `inet ${table}`, sysctls }
  const open = scope.move()
  const close = () => open.close()
  return { status, close, [Symbol.asyncDispose]: close }
}

const endsOf = ({ link, outside, inside }: UplinkPlan) => ({ link, outside, inside })

/** Another process may take the same number at the same moment: then it tries the next one. */
async function openFirstFree(
  { index, ...request }: Omit<UplinkRequest, 'index'> & { readonly index?: number },
  { owner, inside, outside }: UplinkOptions,
): Promise<UplinkPlan> {
  await using route = openRoute({ namespace: outside })
  for (;;) {
    const plan = planUplink({ ...request, index: index ?? (await freeIndex(route)) })
    await refuseOverlap(plan, route)
    try {
      await addVethPair(vethPairOf(plan, owner), { inside, outside })
      return plan
    } catch (failure) {
      if (index !== undefined || !isCoded(failure, 'UPLINK_TAKEN')) throw failure
    }
  }
}

export interface Inside {
  readonly namespace: NetNamespace
  /** The uplink's end inside the namespace. */
  readonly link: string
  /** The subnets of net 0, whose packets leave through it. */
  readonly sources: Pair
}

/**
 * Makes a namespace the router of its nets: it forwards packets, and those that leave have the uplink's
 * addresses.
 */
export async function openInside({ namespace, link, sources }: Inside): Promise<void> {
  for (const name of ['net/ipv4/ip_forward', 'net/ipv6/conf/all/forwarding'])
    writeSysctl(namespace, name, '1')
  await using _ = await masqueradeNet0(sources, { namespace, table: 'xcluster', link })
}

export async function removeLink(link: string, namespace: NetNamespace): Promise<void> {
  await using route = openRoute({ namespace })
  try {
    await route.links.remove(link)
  } catch (failure) {
    if (!isCoded(failure, 'NETLINK_NOT_FOUND')) throw failure
  }
}
