import type { NodePlan, RoutePlan } from '../plan/index.ts'
import { routeSteps } from './links.ts'
import type { GuestStep } from './step.ts'
import { multipathSteps } from './steps.ts'

/**
 * What turns a node as one plan has it into the same node of another: nodes that came or went change the next
 * hops of the others' routes, and nothing else. Empty when there is nothing to tell.
 */
export function updateSteps(before: NodePlan, after: NodePlan): GuestStep[] {
  const changed = after.setup.routes.filter(route => !before.setup.routes.some(old => same(old, route)))
  const gone = before.setup.routes.filter(
    old => !after.setup.routes.some(route => placeOf(route) === placeOf(old)),
  )
  return [...multipathSteps(changed), ...routeSteps(changed, gone)]
}

/** What a route is replaced by: one to the same place in the same tables. */
function placeOf({ to, table }: RoutePlan): string {
  return JSON.stringify([to, table])
}

function same(a: RoutePlan, b: RoutePlan): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}
