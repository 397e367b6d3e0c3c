import type { NodePlan, NodeSetup, RoutePlan } from '../plan/index.ts'
import { placedMessages } from '../rtnl/index.ts'
import { kernelArgs } from './kernel-args.ts'
import { addAddresses, removeAddresses, routeSteps, ruleSteps } from './links.ts'
import { type GuestStep, write } from './step.ts'
import { forwardingPaths, masqueradeStep, multipathSteps } from './steps.ts'

/**
 * The steps that change a node from one plan to another while it runs: MTUs, addresses, routes, rules, forwarding and
 * masquerading. Both plans have the same interfaces and bridges. Empty when nothing changes.
 */
export function updateSteps(before: NodePlan, after: NodePlan): GuestStep[] {
  const moved = movedNets(before, after)
  const isNew = (route: RoutePlan) => !before.setup.routes.some(old => same(old, route))
  const changed = after.setup.routes.filter(route => moved.length > 0 || isNew(route))
  const gone = before.setup.routes.filter(
    old => !after.setup.routes.some(route => placeOf(route) === placeOf(old)),
  )
  return [
    ...forwardingSteps(before.setup, after.setup),
    ...multipathSteps(changed),
    ...routeSteps([], gone), // an address that goes takes its routes with it
    ...linkSteps(before, after),
    ...addressSteps(moved),
    ...routeSteps(changed, []),
    ...(same(before.setup.rules, after.setup.rules) ? [] : ruleSteps(before.setup.rules, after.setup.rules)),
    ...(same(before.setup.masquerade, after.setup.masquerade)
      ? []
      : [masqueradeStep(after.setup.masquerade, { replace: true })]),
  ]
}

function forwardingSteps(before: NodeSetup, { forwarding }: NodeSetup): GuestStep[] {
  return before.forwarding === forwarding
    ? []
    : forwardingPaths.map(path => write(path, forwarding ? '1' : '0'))
}

/** The interfaces with another MTU. */
function linkSteps(before: NodePlan, { nets, append }: NodePlan): GuestStep[] {
  const mtusOf = (line: string) => kernelArgs(line).mtus
  const [old, next] = [mtusOf(before.append), mtusOf(append)]
  const mtuIn = (mtus: typeof old, net: number) => mtus.get(net) ?? 1500
  const messages = placedMessages(({ links }) => {
    for (const { net, dev } of nets)
      if (mtuIn(old, net) !== mtuIn(next, net)) links.change({ name: dev, mtu: mtuIn(next, net) })
  })
  return messages.map(message => ({ kind: 'route', ...message }))
}

interface Moved {
  readonly before: NodePlan['nets'][number]
  readonly after: NodePlan['nets'][number]
}

/** The interfaces with other addresses. */
function movedNets(before: NodePlan, after: NodePlan): Moved[] {
  return after.nets.flatMap(net => {
    const old = before.nets.find(({ dev }) => dev === net.dev)
    return old && !(old.ipv4 === net.ipv4 && old.ipv6 === net.ipv6) ? [{ before: old, after: net }] : []
  })
}

function addressSteps(moved: readonly Moved[]): GuestStep[] {
  const messages = placedMessages(batch => {
    for (const { before } of moved) removeAddresses(batch, before.dev, before)
    for (const { after } of moved) addAddresses(batch, after.dev, { ...after, broadcast: after.net === 0 })
  })
  return messages.map(message => ({ kind: 'route', ...message }))
}

/** Identifies a route: another one to the same destination, in the same tables, replaces it. */
function placeOf({ to, table }: RoutePlan): string {
  return JSON.stringify([to, table])
}

function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}
