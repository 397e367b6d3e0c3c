import type { NodePlan, RoutePlan } from '../plan/index.ts'
import { routeSteps } from './links.ts'
import type { GuestStep } from './step.ts'
import { multipathSteps } from './steps.ts'

/**
 * The steps that change a node from one plan to another. Nodes that are added or removed change the next hops of the
 * others' routes, and nothing else. Empty when nothing changes.
 */
export function updateSteps(before: NodePlan, after: NodePlan): GuestStep[] {
  const changed = after.setup.routes.filter(route => !before.setup.routes.some(old => same(old, route)))
  const gone = before.setup.routes.filter(
    old => !after.setup.routes.some(route => placeOf(route) === placeOf(old)),
  )
  return [...multipathSteps(changed), ...routeSteps(changed, gone)]
}

/** Identifies a route: another one to the same destination, in the same tables, replaces it. */
function placeOf({ to, table }: RoutePlan): string {
  return JSON.stringify([to, table])
}

function same(a: RoutePlan, b: RoutePlan): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}
