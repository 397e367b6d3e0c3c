import { resolve } from 'node:path'
import { messageOf, onAbort, systemClock, unlessAborted } from '../base/index.ts'
import { type Cluster, type Lab, type PrepareHooks, prepareCluster } from '../cluster/index.ts'
import { processEnvironment } from '../host/index.ts'
import type { SettingOptions } from '../plan/index.ts'
import { type ArtifactPlace, saveArtifacts } from './artifacts.ts'
import { TestingError } from './errors.ts'
import { keep } from './keep.ts'
import { afterTests, type TestRunner } from './runner.ts'
import { nameOf, openSaved } from './saved.ts'
import { say } from './say.ts'
import { TestVm } from './vm.ts'

/** What a test, and the preparation, get. */
export interface LabTest {
  readonly cluster: Cluster
  /** One node of it, by its number. */
  vm(node: number): TestVm
  /** Aborts when the test takes longer than it may. */
  readonly signal: AbortSignal
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
}

/** Declares a test, as the runner's own `test` does. */
export type ClusterTest = (name: string, run: (lab: LabTest) => Promise<void>) => void

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
  const { timeoutMs = 60_000, prepareMs = 300_000 } = options
  const { env } = processEnvironment()
  const keeps = env.XCLUSTER_KEEP === '1'
  const root = resolve(options.artifacts ?? env.XCLUSTER_ARTIFACTS ?? 'xcluster-artifacts')
  let preparing: Promise<Lab> | undefined
  const prepared = () => {
    preparing ??= labOf(settings, { ...options, prepareMs, root })
    return preparing
  }
  afterTests(runner, async () => {
    const lab = await preparing?.catch(() => undefined) // each test has said why it failed
    await lab?.dispose()
  })
  const limit = keeps ? longest : prepareMs + timeoutMs
  const { snapshot, prepare = unprepared } = options
  const again = async () =>
    snapshot && `npx xc fork ${await nameOf({ snapshot, settings, preparation: `${prepare}` })}`
  return (name, run) => {
    runner.test(name, { timeout: limit }, async ({ signal } = {}) => {
      const lab = await prepared()
      const cluster = await lab.fork(signal ? { signal } : {})
      try {
        await withArtifacts({ cluster, root, test: name, keeps, again: await again() }, () =>
          limited(cluster, run, { ms: timeoutMs, what: `test '${name}'`, signal }),
        )
      } finally {
        void cluster.stop({ graceMs: 0 }).catch(() => {}) // the next test need not wait; the lab's end does, and throws it
      }
    })
  }
}

const unprepared = async (): Promise<void> => {}

/** Runners count the milliseconds of a timeout in 31 bits. */
const longest = 2 ** 31 - 1

/** From the disk, or prepared. */
async function labOf(
  settings: SettingOptions,
  options: ClusterTestOptions & { readonly prepareMs: number; readonly root: string },
): Promise<Lab> {
  const { prepare = unprepared, snapshot, prepareMs, root, signal, spare, places, net } = options
  const shared = { ...(spare !== undefined && { spare }), ...(places && { places }), ...(net && { net }) }
  const make = () =>
    prepareCluster(
      settings,
      cluster =>
        withArtifacts({ cluster, root, test: 'prepare', keeps: false }, () =>
          limited(cluster, prepare, { ms: prepareMs, what: 'the preparation', signal }),
        ),
      { ...shared, ...(signal && { signal }), timeoutMs: prepareMs },
    )
  if (snapshot === undefined) return await make()
  return await openSaved({ snapshot, settings, preparation: `${prepare}`, prepareMs }, shared, make)
}

interface Saving {
  readonly cluster: Cluster
  readonly root: string
  readonly test: string
  readonly keeps: boolean
  /** The command that starts the same fork by hand. */
  readonly again?: string | undefined
}

/** Saves what is known of the cluster when the work fails. */
async function withArtifacts(
  { cluster, root, test, keeps, again }: Saving,
  work: () => Promise<void>,
): Promise<void> {
  try {
    await work()
  } catch (failure) {
    say(await savedText(cluster, { root, test }))
    if (again) say(`The cluster as it was before: ${again}`)
    if (keeps) await keep(cluster, failure)
    throw failure
  }
}

/** The test's own failure is what counts: one of saving is only told. */
async function savedText(cluster: Cluster, place: ArtifactPlace): Promise<string> {
  const failed = `'${place.test}' failed`
  return await saveArtifacts(cluster, place).then(
    directory => `${failed}: its console, addresses, routes and more are in ${directory}`,
    why => `${failed}, and what is known of its cluster could not be saved: ${messageOf(why)}`,
  )
}

interface Limit {
  readonly ms: number
  readonly what: string
  readonly signal: AbortSignal | undefined
}

/** Throws TEST_TIMEOUT, and what the work throws. */
async function limited(
  cluster: Cluster,
  run: (lab: LabTest) => Promise<void>,
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
  const lab = { cluster, vm: (node: number) => new TestVm(cluster, node), signal: ending.signal }
  try {
    await unlessAborted(run(lab), ending.signal, reason => (reason instanceof Error ? reason : late()))
  } finally {
    cancel()
    leave()
  }
}
