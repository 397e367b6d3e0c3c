import type { UplinkStatus } from '../../api/index.ts'
import { Scope } from '../../base/index.ts'
import { type Pair, planUplink, type UplinkPlan, type UplinkRequest } from '../../plan/index.ts'
import { openRoute } from '../../rtnl/index.ts'
import { type NetNamespace, writeSysctl } from '../../sys/index.ts'
import { forward, restoreForwarding } from './forwarding.ts'
import { masqueradeBase, masqueradeNet0 } from './nat.ts'
import { addVethPair, freeIndex, isCoded, refuseOverlap, vethPairOf } from './veth-pair.ts'

export interface UplinkOptions {
  /** Whose it is: part of the table's name. */
  readonly owner: string
  readonly inside: NetNamespace
  /** Where the way out is. */
  readonly outside: NetNamespace
  /** Net 0's subnets, which leave with the uplink's addresses. */
  readonly sources: Pair
  /** Where it is written down how the outside was. */
  readonly records: string
}

/** A namespace's way out: one cable, one table, and forwarding. Closing it takes it back. */
export interface Uplink extends AsyncDisposable {
  readonly status: UplinkStatus
  close(): Promise<void>
}

/** The table outside that is an owner's. */
export const outsideTable = (owner: string): string => `xcluster_${owner}`

/**
 * Gives a namespace a way out, all or nothing. When this process is killed the kernel takes away everything but what
 * sysctls are: {@link restoreForwarding} is for those. Without an index it is the first that is free.
 */
export async function openUplink(
  wish: Omit<UplinkRequest, 'index'> & { readonly index?: number },
  options: UplinkOptions,
): Promise<Uplink> {
  await using scope = new Scope()
  const { owner, inside, outside, records } = options
  // Taken back in reverse: forwarding when the cable has gone.
  scope.defer(async () => void (await restoreForwarding(outside, records)))
  const plan = await layFirstFree(wish, options)
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

/** Somebody else may take the same number at the same moment: then it is the next one. */
async function layFirstFree(
  { index, ...wish }: Omit<UplinkRequest, 'index'> & { readonly index?: number },
  { owner, inside, outside }: UplinkOptions,
): Promise<UplinkPlan> {
  await using route = openRoute({ namespace: outside })
  for (;;) {
    const plan = planUplink({ ...wish, index: index ?? (await freeIndex(route)) })
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
  /** The uplink's end in there. */
  readonly link: string
  /** Net 0's subnets, which leave by it. */
  readonly sources: Pair
}

/** Makes a namespace the router of its nets: it forwards, and what leaves has the uplink's addresses. */
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
