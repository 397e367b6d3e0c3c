import { Scope } from '../base/index.ts'
import type { Filter, Link, NetemSettings, Qdisc, Route } from '../rtnl/index.ts'
import type { GuestChannel } from './channel.ts'
import { GuestError } from './errors.ts'
import { GuestKernel } from './kernel.ts'

/** `seed`: one that the kernel must keep. */
type Netem = Omit<NetemSettings, 'kind' | 'seed'> & { readonly seed?: number }

/** What of an interface's packets is impaired, and how. Undefined: not any more. */
export interface GuestImpairment {
  readonly dev: string
  readonly direction: 'sent' | 'received'
  readonly settings: Netem | undefined
}

/**
 * Delays, loses and changes what an interface of the guest sends or receives, by sch_netem of its own kernel, in place of
 * what it had. What it receives is redirected to an ifb, which has the netem. Throws QDISC_MISSING, LINK_KIND_MISSING and
 * FILTER_MISSING where that kernel lacks a part, and QDISC_TAKEN where the guest has traffic control of its own there.
 */
export async function impairGuest(channel: GuestChannel, impairment: GuestImpairment): Promise<void> {
  await using kernel = new GuestKernel(channel)
  await impairLink(kernel.route(), impairment)
}

/** The same of an interface of any kernel. */
export async function impairLink(route: Route, impairment: GuestImpairment): Promise<void> {
  const { dev, settings } = impairment
  if (impairment.direction === 'sent') await impairSent(route, dev, settings)
  else await impairReceived(route, dev, settings)
}

async function impairSent({ qdiscs }: Route, dev: string, settings: Netem | undefined): Promise<void> {
  const root = (await qdiscs.list({ link: dev })).find(({ parent }) => parent === 'root')
  if (settings) {
    // Those that the kernel chose itself have no number (net/sched/sch_generic.c, qdisc_create_dflt).
    if (root && root.handle !== '0:' && root.kind !== 'netem') throw taken(dev, root)
    await replaceNetem(qdiscs, dev, settings)
  } else if (root?.kind === 'netem') await qdiscs.remove({ link: dev })
}

/** Kernels before 6.7 ignore a seed (net/sched/sch_netem.c, TCA_NETEM_PRNG_SEED). */
async function replaceNetem(
  qdiscs: Route['qdiscs'],
  link: string,
  { seed, ...settings }: Netem,
): Promise<void> {
  const wanted = seed === undefined ? undefined : BigInt(seed)
  await qdiscs.replace({ link, kind: 'netem', ...settings, ...(wanted !== undefined && { seed: wanted }) })
  if (wanted === undefined) return
  const kept = (await qdiscs.list({ link })).find(({ parent }) => parent === 'root')?.settings
  if (kept?.kind === 'netem' && kept.seed === wanted) return
  await qdiscs.remove({ link })
  throw new GuestError({
    code: 'SEED_UNSUPPORTED',
    kind: 'prerequisite',
    op: 'impair link',
    target: link,
    reason: 'the kernel of the guest did not keep the seed: netem has one from Linux 6.7 on',
    remedy: 'Leave the seed out, or give the node a newer kernel',
  })
}

/** The ifb that what an interface receives goes through. */
const ifbOf = (dev: string) => (dev.length <= 11 ? `ifb-${dev}` : `i-${dev}`)

/** After all others of the guest. */
const priority = 0xffff
const place = (dev: string) => ({ link: dev, parent: 'ingress', protocol: 'all', priority }) as const

/** What an interface has at the place where packets come in. */
interface Incoming {
  readonly ifb: Link | undefined
  readonly ingress: Qdisc | undefined
  readonly ours: readonly Filter[]
  readonly others: readonly Filter[]
}

async function incomingOf({ links, qdiscs, filters }: Route, dev: string): Promise<Incoming> {
  const ifb = (await links.list()).find(({ name, kind }) => name === ifbOf(dev) && kind === 'ifb')
  const ingress = (await qdiscs.list({ link: dev })).find(isIngress)
  const all = ingress ? await filters.list({ link: dev, parent: 'ingress' }) : []
  const isOurs = ({ redirect }: Filter) => ifb !== undefined && redirect === ifb.index
  return { ifb, ingress, ours: all.filter(isOurs), others: all.filter(filter => !isOurs(filter)) }
}

export const isIngress = ({ kind }: Pick<Qdisc, 'kind'>): boolean => ['ingress', 'clsact'].includes(kind)

async function impairReceived(route: Route, dev: string, settings: Netem | undefined): Promise<void> {
  const incoming = await incomingOf(route, dev)
  if (!settings) return await letIn(route, dev, incoming)
  const { ifb, ingress, ours } = incoming
  if (ingress && ours.length === 0) throw taken(dev, ingress)
  await using undo = new Scope()
  if (!ifb) {
    await addIfb(route, ifbOf(dev))
    undo.defer(() => route.links.remove(ifbOf(dev)))
  }
  await replaceNetem(route.qdiscs, ifbOf(dev), settings)
  if (!ingress) {
    await route.qdiscs.add({ link: dev, kind: 'ingress' })
    undo.defer(() => route.qdiscs.remove({ link: dev, parent: 'ingress' }))
  }
  if (ours.length === 0) await route.filters.add({ ...place(dev), kind: 'matchall', redirect: ifbOf(dev) })
  undo.move()
}

/** The module makes interfaces of its own when the kernel loads it (drivers/net/ifb.c, numifbs): these go again. */
async function addIfb({ links }: Route, name: string): Promise<void> {
  const before = new Set((await links.list({ kind: 'ifb' }).catch(() => [])).map(each => each.index))
  await links.add({ name, kind: 'ifb', up: true, addrGenMode: 'none' })
  const made = (await links.list()).filter(({ kind, index }) => kind === 'ifb' && !before.has(index))
  for (const each of made) if (/^ifb\d+$/.test(each.name)) await links.remove(each.index)
}

/** Packets come in as before. What the guest added there meanwhile stays. */
async function letIn(route: Route, dev: string, { ifb, ingress, ours, others }: Incoming): Promise<void> {
  if (!ifb) return
  if (ours.length > 0 && others.length > 0) await route.filters.remove(place(dev))
  else if (ingress && ours.length > 0) await route.qdiscs.remove({ link: dev, parent: 'ingress' })
  await route.links.remove(ifb.index)
}

function taken(dev: string, { kind, handle }: Qdisc): GuestError {
  const where = isIngress({ kind }) ? 'where packets come in' : 'where packets go out'
  return new GuestError({
    code: 'QDISC_TAKEN',
    op: 'impair link',
    target: dev,
    reason: `the guest has traffic control of its own ${where}: the queueing discipline ${kind} ${handle}`,
    remedy: `Remove it in the guest: tc qdisc del dev ${dev} ${isIngress({ kind }) ? kind : 'root'}`,
  })
}
