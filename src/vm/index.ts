export { VmError } from './errors.ts'
export type * from './types.ts'
