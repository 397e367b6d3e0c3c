export * from './constants.ts'
export * from './ruleset.ts'
