export { commandFor } from './command.ts'
export { type ExecAnswer, type ExecJson, execInputLimit, execOutputLimit } from './exec.ts'
export type * from './names.ts'
export type * from './values.ts'
export type { Flag, Parameter, ParameterKind, ParameterValues } from './verbs/parameter.ts'
export { type VerbName, verbs } from './verbs/table.ts'
export {
  type AnswerOf,
  type AskedOf,
  type ConsoleRole,
  consoleHeader,
  dashed,
  isStream,
  type JsonAnswers,
  nodeIn,
  type StreamKind,
  unseenHeader,
  upgradeProtocol,
  type Verb,
  type VerbTable,
  verbTable,
} from './verbs/verb.ts'
