export { commandFor } from './command.ts'
export type { ExecAnswer } from './exec.ts'
export type * from './values.ts'
