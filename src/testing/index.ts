export type { Awaitable } from './conditions.ts'
export { TestingError } from './errors.ts'
export {
  type ClusterTest,
  type ClusterTestOptions,
  clusterTest,
  type ForkTest,
  type LabTest,
} from './fixture.ts'
export { assertNoLeaks } from './leaks.ts'
export type { TestRunner } from './runner.ts'
export { type CommandOutput, type TestCommand, type TestCommandOptions, TestVm } from './vm.ts'
export type { WaitForOptions } from './wait.ts'
