export { ClusterError } from './errors.ts'
export type * from './plan-types.ts'
export { hostId, nodeName, type Role, roleOf } from './roles.ts'
export type * from './types.ts'
