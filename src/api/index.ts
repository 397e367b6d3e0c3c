export { commandFor } from './command.ts'
export type { ExecAnswer, ExecJson } from './exec.ts'
export type * from './values.ts'
export {
  type Flag,
  nodeIn,
  type Parameter,
  type ParameterKind,
  type ParameterValues,
} from './verbs/parameter.ts'
export { type VerbName, verbs } from './verbs/table.ts'
export {
  type AnswerOf,
  type AskedOf,
  isStream,
  type JsonAnswers,
  type StreamKind,
  upgradeProtocol,
  type Verb,
  type VerbTable,
  verbTable,
} from './verbs/verb.ts'
