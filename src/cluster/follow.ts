import { guestScript } from './guest-config.ts'
import type { NodePlan, RoutePlan } from './plan-types.ts'

/**
 * The script that turns a node as one plan has it into the same node of another: nodes that came or went change
 * the next hops of the others' routes, and nothing else. Undefined when there is nothing to tell.
 */
export function followScript(before: NodePlan, after: NodePlan): string | undefined {
  const changed = after.setup.routes.filter(route => !before.setup.routes.some(old => same(old, route)))
  const gone = before.setup.routes.filter(
    old => !after.setup.routes.some(route => placeOf(route) === placeOf(old)),
  )
  if (changed.length + gone.length === 0) return undefined
  const setup = { forwarding: false, routes: changed, rules: [], masquerade: [], bridges: [] }
  const removed = gone.flatMap(({ to, table }) => {
    const [ipv4, ipv6] = to === 'default' ? ['0.0.0.0/0', '::/0'] : [to.ipv4, to.ipv6]
    return [removal(ipv4, table?.ipv4), removal(ipv6, table?.ipv6)]
  })
  return [guestScript({ nets: [], setup }), ...removed, ''].join('\n')
}

function removal(destination: string, table: number | undefined): string {
  return `/sbin/ip ${destination.includes(':') ? '-6 ' : ''}route del ${destination}${table ? ` table ${table}` : ''}`
}

/** What a route is replaced by: one to the same place in the same tables. */
function placeOf({ to, table }: RoutePlan): string {
  return JSON.stringify([to, table])
}

function same(a: RoutePlan, b: RoutePlan): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}
