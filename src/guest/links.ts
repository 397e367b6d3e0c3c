import type { GuestBridge, Hop, NodeNet, NodePlan, NodeSetup, RoutePlan, RulePlan } from '../plan/index.ts'
import { ipv4Length, ipv6Length } from '../plan/index.ts'
import { type Batch, bridge, type NextHop, placedMessages } from '../rtnl/index.ts'
import type { KernelArgs } from './kernel-args.ts'
import type { GuestStep } from './step.ts'

type Family = 4 | 6
const families = [4, 6] as const
const keys = { 4: 'ipv4', 6: 'ipv6' } as const

/**
 * Links, addresses, routes and rules, as messages to the guest's kernel. `cloneArgs` is for a clone: its links have the
 * template's MACs, and it has no net 0 yet, which a guest that boots sets up by itself.
 */
export function linkSteps(
  { nets, setup }: Pick<NodePlan, 'nets' | 'setup'>,
  cloneArgs?: KernelArgs,
): GuestStep[] {
  const [inner, rest] = [nets.filter(({ net }) => net === 0), nets.filter(({ net }) => net !== 0)]
  const messages = placedMessages(batch => {
    if (cloneArgs) {
      for (const nic of inner) setUpLink(batch, nic, cloneArgs)
      for (const { dev, ipv4, ipv6 } of inner) addAddresses(batch, dev, { ipv4, ipv6, broadcast: true })
    }
    for (const nic of rest)
      cloneArgs ? setUpLink(batch, nic, cloneArgs) : batch.links.change({ name: nic.dev, up: true })
    for (const each of setup.bridges) addBridge(batch, each)
    for (const { dev, ipv4, ipv6 } of rest) addAddresses(batch, dev, { ipv4, ipv6 })
    addRouting(batch, setup)
  })
  return messages.map(message => ({ kind: 'route', ...message }))
}

/** Routes, rules and bridges of a guest whose links have their addresses. */
export function routingSteps({ setup }: Pick<NodePlan, 'setup'>): GuestStep[] {
  const messages = placedMessages(batch => {
    for (const each of setup.bridges) addBridge(batch, each)
    addRouting(batch, setup)
  })
  return messages.map(message => ({ kind: 'route', ...message }))
}

function addRouting(batch: Batch, { routes, rules }: NodeSetup): void {
  for (const route of routes) for (const family of families) addRoute(batch, route, family)
  for (const rule of ruleSpecs(rules)) batch.rules.add(rule)
}

function ruleSpecs(rules: readonly RulePlan[]) {
  return families.flatMap(family =>
    rules.map(({ dev, ...table }) => ({ family, outDev: dev, table: table[keys[family]] })),
  )
}

/** Other rules in place of these: their order counts. */
export function ruleSteps(before: readonly RulePlan[], after: readonly RulePlan[]): GuestStep[] {
  const messages = placedMessages(({ rules }) => {
    for (const rule of ruleSpecs(before)) rules.remove(rule)
    for (const rule of ruleSpecs(after)) rules.add(rule)
  })
  return messages.map(message => ({ kind: 'route', ...message }))
}

/** Replaces changed routes and removes those that are gone. */
export function routeSteps(changed: readonly RoutePlan[], gone: readonly RoutePlan[]): GuestStep[] {
  const messages = placedMessages(batch => {
    for (const route of changed) for (const family of families) addRoute(batch, route, family)
    for (const { to, table } of gone)
      for (const family of families) batch.routes.remove(placeOf({ to, table }, family))
  })
  return messages.map(message => ({ kind: 'route', ...message }))
}

/** One message is enough: the kernel sets MAC and MTU before it brings the link up (do_setlink). */
function setUpLink({ links }: Batch, { net, dev, mac }: NodeNet, { mtus }: KernelArgs): void {
  const mtu = mtus.get(net)
  links.change({ name: dev, mac, ...(mtu !== undefined && { mtu }), up: true })
}

interface Own {
  readonly ipv4?: string | undefined
  readonly ipv6?: string | undefined
  readonly broadcast?: boolean
}

/** Without duplicate address detection, which takes a second: the plan's addresses are unique. */
export function addAddresses({ addresses }: Batch, link: string, { ipv4, ipv6, broadcast }: Own): void {
  if (ipv4 === undefined || ipv6 === undefined) return
  const all = broadcast && { broadcast: ipv4.replace(/\d+$/, '255') }
  addresses.add({ link, address: ipv4, prefix: ipv4Length, ...all })
  addresses.add({ link, address: ipv6, prefix: ipv6Length, noDad: true })
}

export function removeAddresses({ addresses }: Batch, link: string, { ipv4, ipv6 }: Own): void {
  if (ipv4 !== undefined) addresses.remove({ link, address: ipv4, prefix: ipv4Length })
  if (ipv6 !== undefined) addresses.remove({ link, address: ipv6, prefix: ipv6Length })
}

function addBridge(batch: Batch, { name, mac, ports, ipv4, ipv6 }: GuestBridge): void {
  batch.links.add(bridge({ name, mac, stp: false }))
  for (const port of ports) batch.links.change({ name: port, master: name })
  batch.links.change({ name, up: true })
  addAddresses(batch, name, { ipv4, ipv6 })
}

function addRoute({ routes }: Batch, { to, hops, table }: RoutePlan, family: Family): void {
  const nextHops = hops.map(hop => nextHopOf(hop, keys[family]))
  const by = nextHops.length > 1 ? { ways: nextHops } : nextHops[0]
  routes.replace({ ...placeOf({ to, table }, family), ...by })
}

function placeOf(
  { to, table }: Pick<RoutePlan, 'to'> & { table: RoutePlan['table'] | undefined },
  family: Family,
) {
  const key = keys[family]
  return { family, destination: to === 'default' ? to : to[key], ...(table && { table: table[key] }) }
}

function nextHopOf(hop: Hop, key: 'ipv4' | 'ipv6'): NextHop {
  const gateway = hop[key]
  return { dev: hop.dev, ...(gateway && { via: gateway }) }
}
