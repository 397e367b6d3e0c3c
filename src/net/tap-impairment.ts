import { codeOf, Scope } from '../base/index.ts'
import { drop, match, openNft, range } from '../nft/index.ts'
import { openRoute, type Route } from '../rtnl/index.ts'
import type { NetNamespace } from '../sys/index.ts'

/** What of a tap is impaired, seen from its guest. Shares from 0 to 1, `rate` in bit/s. */
export interface TapImpairment {
  readonly tap: string
  readonly direction: 'sent' | 'received'
  readonly loss?: number
  /** Only of what is received: that is what the tap sends. */
  readonly rate?: number
}

/** Shares in steps of a millionth. */
const parts = 1_000_000
/** Microseconds that a packet may wait for the rate. */
const latency = 100_000

/** Until it is closed, loses packets of a tap and limits their rate, without netem: by nftables and sch_tbf. */
export async function impairTap(
  namespace: NetNamespace,
  { tap, direction, loss = 0, rate = 0 }: TapImpairment,
): Promise<AsyncDisposable> {
  await using scope = new Scope()
  if (loss > 0) {
    const table = { family: 'netdev', name: `xcluster_${tap}_${direction}`, owner: true } as const
    const hook = direction === 'sent' ? 'ingress' : 'egress' // what the guest sends comes in at the tap
    const nft = scope.add(openNft({ namespace }))
    const lost = match.numgen('random', parts)(range(0, Math.max(1, Math.round(loss * parts)) - 1))
    await nft.transaction(({ tables, chains, rules }) => {
      tables.add(table)
      chains.add({ table, name: 'loss', type: 'filter', hook, devices: [tap] })
      rules.add({ table, chain: 'loss', statements: [lost, drop()] })
    })
  }
  if (rate > 0) {
    await using route = openRoute({ namespace })
    // A packet must fit into the burst, and a timer interrupt (4 ms) must not limit the rate.
    const burst = Math.max(2 * 1514, Math.round(rate / 8 / 250))
    await route.qdiscs.replace({ link: tap, kind: 'tbf', rate, burst, latency })
    scope.defer(() => withoutQdisc(namespace, tap))
  }
  return scope.move()
}

function withoutQdisc(namespace: NetNamespace, tap: string): Promise<void> {
  return onTap(namespace, tap, route => route.qdiscs.remove({ link: tap }))
}

/** Does something to a tap, unless it has gone with its node. */
export async function onTap(
  namespace: NetNamespace,
  tap: string,
  work: (route: Route) => Promise<void>,
): Promise<void> {
  await using route = openRoute({ namespace })
  if ((await route.links.list()).some(({ name }) => name === tap)) await work(route)
}

/** Whether this kernel has netem: it is asked for one on the loopback interface, which goes at once. */
export async function hasNetem(namespace: NetNamespace): Promise<boolean> {
  await using route = openRoute({ namespace })
  try {
    await route.qdiscs.add({ link: 'lo', kind: 'netem' })
    await route.qdiscs.remove({ link: 'lo' })
    return true
  } catch (failure) {
    if (codeOf(failure) === 'QDISC_MISSING') return false
    throw failure
  }
}
