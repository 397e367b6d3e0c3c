import { nodeName, roleOf, rolesText } from '../base/index.ts'
import { PlanError } from './errors.ts'

/** The number in `1`, `vm-001` or 1; undefined when it is none that a node can have. */
export function idOf(node: string | number): number | undefined {
  const [, digits] = /^(?:vm-)?(\d{1,3})$/.exec(String(node)) ?? []
  const id = Number(digits)
  const isName = typeof node === 'string' && node.startsWith('vm-')
  return roleOf(id) === undefined || (isName && node !== nodeName(id)) ? undefined : id
}

/** The number that a node to be added has. */
export function newId(node: string | number): number {
  const id = idOf(node)
  if (id !== undefined) return id
  throw new PlanError({
    code: 'NODE_NUMBER',
    kind: 'usage',
    reason: `'${node}' is no node's number`,
    remedy: `Numbers are: ${rolesText()}`,
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
    remedy: `It has ${has.join(', ')}`,
  })
}
