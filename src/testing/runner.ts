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
  /** vitest */
  readonly task?: VitestTask
  /** vitest, from 3.2 on: reporters show it, and a JUnit report has it among the properties of the test. */
  readonly annotate?: (message: string, type?: string) => Promise<unknown>
  /** node:test: the names of the suites above it and its own, ` > ` between them. */
  readonly fullName?: string
  /** node:test: the path of its file. */
  readonly filePath?: string | undefined
  /** node:test: reporters show it, and a JUnit report has it as a comment. */
  readonly diagnostic?: (message: string) => void
}

interface VitestTask {
  /** From 4 on: the names of the suites above it and its own, ` > ` between them. */
  readonly fullTestName?: string
  readonly file?: { readonly filepath: string; readonly projectName?: string | undefined }
}

/** Where a test stands. */
export interface TestOrigin {
  /** Of vitest. Empty: there is one, without a name. */
  readonly project: string
  /** The path of its file. */
  readonly file: string
  /** Its name after those of the suites that it is in. */
  readonly fullName: string
}

/** node:test runs each file in a process of its own; runners that do not name the file are taken to do the same. */
export function originOf(context: RunnerContext, name: string): TestOrigin {
  const { task, fullName, filePath } = context
  return {
    project: task?.file?.projectName ?? '',
    file: task?.file?.filepath ?? filePath ?? process.argv[1] ?? '',
    fullName: task?.fullTestName ?? fullName ?? name,
  }
}

/** Tells something of a test that reports are to have, in the way that its runner knows. */
export async function report(context: RunnerContext, text: string): Promise<void> {
  await context.annotate?.(text, 'xcluster')
  context.diagnostic?.(text)
}

/** Calls the task after the last test of the file. */
export function afterTests(runner: TestRunner, task: () => Promise<void>): void {
  if (runner.afterAll) runner.afterAll(task)
  else runner.after?.(task)
}
