import { nodeName, roleOf, rolesText } from '../base/index.ts'
import { PlanError } from './errors.ts'

/** The id in `1`, `vm-001` or 1; undefined when no node can have it. */
export function idOf(node: string | number): number | undefined {
  const [, digits] = /^(?:vm-)?(\d{1,3})$/.exec(String(node)) ?? []
  const id = Number(digits)
  const isName = typeof node === 'string' && node.startsWith('vm-')
  return roleOf(id) === undefined || (isName && node !== nodeName(id)) ? undefined : id
}

/** The id of a node to be added. Throws NODE_NUMBER when no node can have it. */
export function newId(node: string | number): number {
  const id = idOf(node)
  if (id !== undefined) return id
  throw new PlanError({
    code: 'NODE_NUMBER',
    kind: 'usage',
    reason: `'${node}' is not a node number`,
    remedy: `Use one of: ${rolesText()}`,
  })
}

export function nodeMissing(
  cluster: string,
  { asked, has }: { asked: string | number; has: readonly number[] },
): PlanError {
  return new PlanError({
    code: 'NODE_MISSING',
    kind: 'missing',
    reason: `cluster '${cluster}' has no node '${asked}'`,
    remedy: `Its nodes are ${has.join(', ')}`,
  })
}
