export * from './constants.ts'
export type { Data, Verdict } from './data.ts'
export type { Expression } from './expressions.ts'
export * from './ruleset.ts'
