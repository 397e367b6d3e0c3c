import { resolve } from 'node:path'
import { onAbort, systemClock, unlessAborted, withTimes } from '../base/index.ts'
import { type Cluster, type Fork, type Lab, type PrepareHooks, prepareCluster } from '../cluster/index.ts'
import { processEnvironment } from '../host/index.ts'
import type { SettingOptions } from '../plan/index.ts'
import { TestingError } from './errors.ts'
import { type OnFailure, withArtifacts } from './failure.ts'
import { placeOf } from './place.ts'
import { afterTests, originOf, type RunnerContext, type TestRunner } from './runner.ts'
import { nameOf, openSaved } from './saved.ts'
import { TestVm } from './vm.ts'

/** What the preparation gets. */
export interface LabTest {
  readonly cluster: Cluster
  /** One node of it, by its number. */
  vm(node: number): TestVm
  /** Aborts when the test takes longer than it may. */
  readonly signal: AbortSignal
}

/** What a test gets. */
export interface ForkTest extends LabTest {
  readonly cluster: Fork
  /**
   * The same with a cluster as it was at the beginning of the test ({@link Fork.rewind}). The one before is taken away in the
   * background.
   */
  rewind(): Promise<ForkTest>
}

export interface ClusterTestOptions extends Omit<PrepareHooks, 'onEvent' | 'logs' | 'timeoutMs'> {
  /** Brings the cluster to the state in which every test begins. It is called once, for the first test. */
  readonly prepare?: (lab: LabTest) => Promise<void>
  /**
   * Keeps the prepared cluster on the disk, under a name that begins with this one, for other files, workers and runs: the
   * first that needs it prepares it, and the others wait for that. It is prepared again when the settings, the text of
   * `prepare`, xcluster or this machine have changed. What these refer to is not looked at: files, overlays.
   */
  readonly snapshot?: string
  /** How long a test may take, in milliseconds. Default: 60,000. */
  readonly timeoutMs?: number
  /** How long the preparation may take, with the start of the cluster, in milliseconds. Default: 300,000. */
  readonly prepareMs?: number
  /** The directory for what is saved when a test fails. Default: XCLUSTER_ARTIFACTS, or `xcluster-artifacts`. */
  readonly artifacts?: string
  /**
   * Prints a line for each file that is saved, `[[ATTACHMENT|/path]]`, by which Jenkins and GitLab show it with the test of a
   * JUnit report. Default: XCLUSTER_ATTACHMENTS is 1.
   */
  readonly attachments?: boolean
}

/** Declares a test, as the runner's own `test` does. */
export type ClusterTest = (name: string, run: (lab: ForkTest) => Promise<void>) => void

/**
 * A `test` whose every test has a cluster of its own: a fork of one that is started and prepared once for the file. Forks are
 * taken away when their tests have ended, and the prepared cluster after the last. When a test fails, what is known of its
 * cluster is saved, and the place is printed. With XCLUSTER_KEEP=1 the cluster of the first test that fails stays until the
 * process is ended.
 *
 * ```ts
 * import * as vitest from 'vitest' // or: import * as runner from 'node:test'
 *
 * const test = clusterTest(vitest, { nvm: 2 }, { prepare: ({ vm }) => vm(1).waitFor({ port: 22 }), spare: 1 })
 * test('they reach each other', async ({ vm }) => {
 *   await vm(1).succeed('ping -c1 192.168.1.2')
 * })
 * ```
 */
export function clusterTest(
  runner: TestRunner,
  settings: SettingOptions,
  options: ClusterTestOptions = {},
): ClusterTest {
  const {
    timeoutMs = 60_000,
    prepareMs = 300_000,
    snapshot,
    prepare = unprepared,
  } = withTimes('make cluster tests', options)
  const habits = habitsOf(options)
  let preparing: Promise<Lab> | undefined
  const prepared = (context: RunnerContext) => {
    const onFailure = { ...habits.failing(context, 'prepare'), keeps: false }
    preparing ??= labOf(settings, { ...options, prepareMs, onFailure })
    return preparing
  }
  afterTests(runner, async () => {
    const lab = await preparing?.catch(() => undefined) // each test has said why it failed
    await lab?.dispose()
  })
  const again = async () =>
    snapshot && `npx xc fork ${await nameOf({ snapshot, settings, preparation: `${prepare}` })}`
  return (name, run) => {
    const limit = habits.keeps ? longest : prepareMs + timeoutMs
    runner.test(name, { timeout: limit }, async (context = {}) => {
      const { signal } = context
      const lab = await prepared(context)
      const cluster = await lab.fork(signal ? { signal } : {})
      const onFailure = { ...habits.failing(context, name), again: await again() }
      try {
        await withArtifacts(
          () => latest(cluster),
          onFailure,
          () =>
            limited(aborted => run(forkTest(cluster, aborted)), {
              ...{ ms: timeoutMs, what: `test '${name}'`, signal },
            }),
        )
      } finally {
        void latest(cluster)
          .stop({ graceMs: 0 })
          .catch(() => {}) // the next test need not wait; the lab's end does, and throws it
      }
    })
  }
}

/** What the options and the environment say about tests that fail. */
function habitsOf(options: ClusterTestOptions) {
  const { env } = processEnvironment()
  const keeps = env.XCLUSTER_KEEP === '1'
  const attaches = options.attachments ?? env.XCLUSTER_ATTACHMENTS === '1'
  const root = resolve(options.artifacts ?? env.XCLUSTER_ARTIFACTS ?? 'xcluster-artifacts')
  const failing = (context: RunnerContext, test: string): OnFailure => {
    const origin = originOf(context, test)
    const named = test === 'prepare' ? { ...origin, fullName: test } : origin
    return { test, context, keeps, attaches, place: () => placeOf(root, named) }
  }
  return { keeps, failing }
}

function labTest(cluster: Cluster, signal: AbortSignal): LabTest {
  return { cluster, signal, vm: node => new TestVm(cluster, node) }
}

function forkTest(cluster: Fork, signal: AbortSignal): ForkTest {
  const rewind = async () => forkTest(await latest(cluster).rewind({ signal }), signal)
  return { ...labTest(cluster, signal), cluster, rewind }
}

/** The one that has its place now. */
function latest(fork: Fork): Fork {
  return fork.next ? latest(fork.next) : fork
}

const unprepared = async (): Promise<void> => {}

/** Runners count the milliseconds of a timeout in 31 bits. */
const longest = 2 ** 31 - 1

interface Preparing extends ClusterTestOptions {
  readonly prepareMs: number
  readonly onFailure: OnFailure
}

/** From the disk, or prepared. */
async function labOf(settings: SettingOptions, options: Preparing): Promise<Lab> {
  const { prepare = unprepared, snapshot, prepareMs, onFailure, signal, spare, places, net } = options
  const shared = { ...(spare !== undefined && { spare }), ...(places && { places }), ...(net && { net }) }
  const make = () =>
    prepareCluster(
      settings,
      cluster =>
        withArtifacts(
          () => cluster,
          onFailure,
          () =>
            limited(aborted => prepare(labTest(cluster, aborted)), {
              ...{ ms: prepareMs, what: 'the preparation', signal },
            }),
        ),
      { ...shared, ...(signal && { signal }), timeoutMs: prepareMs },
    )
  if (snapshot === undefined) return await make()
  return await openSaved({ snapshot, settings, preparation: `${prepare}`, prepareMs }, shared, make)
}

interface Limit {
  readonly ms: number
  readonly what: string
  readonly signal: AbortSignal | undefined
}

/** Throws TEST_TIMEOUT, and what the work throws. */
async function limited(
  work: (signal: AbortSignal) => Promise<void>,
  { ms, what, signal }: Limit,
): Promise<void> {
  const ending = new AbortController()
  const late = () =>
    new TestingError({
      code: 'TEST_TIMEOUT',
      op: 'run',
      target: what,
      reason: `it took longer than ${ms / 1000} s`,
    })
  const cancel = systemClock.after(ms, () => ending.abort(late()))
  const leave = onAbort(signal, () => ending.abort(signal?.reason))
  try {
    await unlessAborted(work(ending.signal), ending.signal, reason =>
      reason instanceof Error ? reason : late(),
    )
  } finally {
    cancel()
    leave()
  }
}
