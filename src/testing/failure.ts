import { messageOf } from '../base/index.ts'
import type { Cluster } from '../cluster/index.ts'
import { saveArtifacts } from './artifacts.ts'
import { keep } from './keep.ts'
import type { RunnerContext } from './runner.ts'
import { report } from './runner.ts'
import { say, sayInTest } from './say.ts'

/** What is done when a test, or the preparation, fails. */
export interface OnFailure {
  /** Its name. */
  readonly test: string
  /** The directory for what is known of its cluster. */
  readonly place: () => string
  /** Its cluster stays until the process ends. */
  readonly keeps: boolean
  /** Each file is named in a line for a JUnit report. */
  readonly attaches: boolean
  readonly context: RunnerContext
  /** The command that starts the same fork by hand. */
  readonly again?: string | undefined
}

/** Saves what is known of the cluster when the work fails. */
export async function withArtifacts(
  cluster: () => Cluster,
  what: OnFailure,
  work: () => Promise<void>,
): Promise<void> {
  try {
    await work()
  } catch (failure) {
    await save(cluster(), what)
    if (what.again) say(`The cluster as it was before: ${what.again}`)
    if (what.keeps) await keep(cluster(), failure)
    throw failure
  }
}

/** The test's own failure is what counts: one of saving is only told. */
async function save(cluster: Cluster, { test, place, context, attaches }: OnFailure): Promise<void> {
  const failed = `'${test}' failed`
  try {
    const directory = place()
    const files = await saveArtifacts(cluster, directory)
    say(`${failed}: its console, addresses, routes and more are in ${directory}`)
    await report(context, `What is known of its cluster is in ${directory}`)
    if (attaches) await attach(context, files)
  } catch (why) {
    say(`${failed}, and what is known of its cluster could not be saved: ${messageOf(why)}`)
  }
}

/**
 * The lines by which the JUnit attachments plugin of Jenkins, and GitLab, find the files of a test
 * (kohsuke.org/2012/03/13/attaching-files-to-junit-tests). vitest's reporter has what a test prints in its `system-out`.
 */
async function attach(context: RunnerContext, files: readonly string[]): Promise<void> {
  const lines = files.map(file => `[[ATTACHMENT|${file}]]`)
  if (context.diagnostic) for (const line of lines) context.diagnostic(line)
  else sayInTest(lines.join('\n'))
}
