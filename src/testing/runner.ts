/** What is needed of a test runner: the module `vitest` or `node:test`, or another with the same calls. */
export interface TestRunner {
  readonly test: (
    name: string,
    options: { timeout: number },
    run: (context: RunnerContext) => Promise<void>,
  ) => unknown
  /** vitest */
  readonly afterAll?: (task: () => Promise<void>) => unknown
  /** node:test */
  readonly after?: (task: () => Promise<void>) => unknown
}

/** What a runner gives to each test, as far as it is used here. */
export interface RunnerContext {
  /** Aborts when the test takes longer than it may. */
  readonly signal?: AbortSignal
}

/** Calls the task after the last test of the file. */
export function afterTests(runner: TestRunner, task: () => Promise<void>): void {
  if (runner.afterAll) runner.afterAll(task)
  else runner.after?.(task)
}
