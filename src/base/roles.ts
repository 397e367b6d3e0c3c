/** What a node is for. Its id alone decides it, in every cluster. */
export type Role = 'vm' | 'router' | 'tester'

interface RoleRange {
  readonly role: Role
  readonly first: number
  readonly last: number
}

/** The first and last id of each role. */
const roles: readonly RoleRange[] = [
  { role: 'vm', first: 1, last: 200 },
  { role: 'router', first: 201, last: 220 },
  { role: 'tester', first: 221, last: 240 },
]

/** The highest id that a node can have. The lowest is 1. */
export const lastNodeId = roles.at(-1)!.last

/** The host's number in every net: 192.168.N.250. */
export const hostId = 250

/** The role of a node id; undefined when no node can have that id. */
export function roleOf(id: number): Role | undefined {
  return roles.find(({ first, last }) => Number.isInteger(id) && id >= first && id <= last)?.role
}

/** `vm 1–200, router 201–220, …`, for error messages. */
export function rolesText(): string {
  return roles.map(({ role, first, last }) => `${role} ${first}–${last}`).join(', ')
}

/** The first `count` ids of a role. */
export function idsOf(role: Role, count: number): number[] {
  const { first } = roles.find(range => range.role === role)!
  return Array.from({ length: count }, (_, index) => first + index)
}

/** The guest's hostname, the same for all roles: `vm-003`. */
export function nodeName(id: number): string {
  return `vm-${String(id).padStart(3, '0')}`
}
