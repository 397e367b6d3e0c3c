import type { Command } from 'commander'
import { clusterPlaces } from '../../../base/index.ts'
import { gone, OwnerClient, type Status } from '../../../client/index.ts'
import type { Launch, StartOrder } from '../../../owner/index.ts'
import type { SnapshotManifest } from '../../../vm/index.ts'
import { CliError } from '../../errors.ts'
import { nameOption, timeoutOption } from '../../options/shared.ts'
import { print, printJson, tell } from '../../output.ts'
import { type CommonOptions, clusterNameOf, type Session, timeoutOf, trustedPlaces } from '../../session.ts'
import { cancelledText, followStart, type StartOutcome } from '../../start/follow.ts'
import { isLive, listenerOf, tellReady } from '../../start/ready.ts'
import { clusterTable } from '../../view/cluster.ts'
import { snapshotsOf } from './shared.ts'

interface ForkOptions extends CommonOptions {
  readonly count?: string
}

export function configure(command: Command, session: Session): void {
  command
    .argument('<snapshot>', 'its name, of xc freeze')
    .option(...nameOption)
    .option('--count <n>', 'start so many, named CLUSTER-1, CLUSTER-2, …: all of them or none')
    .option('--json', 'print one JSON value (docs/json.md)')
    .option(...timeoutOption)
    .action((snapshot: string, options: ForkOptions) => fork(session, snapshot, options))
}

/** The memory of the snapshot is read and checked once, here. Owners take it over from this process. */
async function fork(session: Session, snapshot: string, options: ForkOptions): Promise<void> {
  const names = namesOf(session, options)
  const timeoutMs = timeoutOf(options)
  const [places, root] = [trustedPlaces(session), await snapshotsOf(session)]
  const [{ checkSnapshot, openSnapshot, shareVms }, { spawnOwner }] = await Promise.all([
    import('../../../vm/index.ts'),
    import('../../../owner/index.ts'),
  ])
  const ats = names.map(name => clusterPlaces(places, name)) // refused before there is a process
  await checkSnapshot(root, snapshot)
  const owners = ats.map(at => spawnOwner(at, { env: { ...session.env } }))
  try {
    await using opened = await openSnapshot(root, snapshot)
    const shared = shareVms(opened.vms)
    const launches = owners.map((owner, index) =>
      owner.start({
        ...orderOf({ ...shared, manifest: opened.manifest }, { snapshot, name: names[index]! }),
        places,
        ...(timeoutMs !== undefined && { timeoutMs }),
      }),
    )
    const nodes = opened.manifest.vms.length
    await (launches.length === 1 && options.count === undefined
      ? followOne(session, launches[0]!, { ...options, nodes })
      : followAll(session, launches, { ...options, names, nodes }))
  } finally {
    await Promise.all(owners.map(owner => owner.close()))
  }
}

type Shared = Pick<NonNullable<StartOrder['from']>, 'pid' | 'vms'> & { readonly manifest: SnapshotManifest }

function orderOf(
  { manifest, ...shared }: Shared,
  { snapshot, name }: { readonly snapshot: string; readonly name: string },
): Pick<StartOrder, 'settings' | 'from'> {
  const about = manifest.about as NonNullable<StartOrder['from']>['about']
  const { spreadMs } = manifest
  return { settings: { ...about.settings, name }, from: { ...shared, snapshot, name, about, spreadMs } }
}

interface Following extends ForkOptions {
  readonly nodes: number
}

async function followOne(session: Session, launch: Launch, options: Following): Promise<void> {
  const onEvent = await listenerOf(session)
  const timeoutMs = timeoutOf(options)
  const { nodes } = options
  const outcome = await followStart(launch, {
    live: isLive(options),
    nodes,
    clones: false,
    timeoutMs,
    onEvent,
  })
  if (outcome.status === undefined) {
    await gone(launch.pid)
    process.exitCode = outcome.interrupted
    return
  }
  onEvent({ type: 'cluster', state: 'ready', status: outcome.status })
  await tellReady(session, outcome.status, options)
}

/** Waits for all of them. When one does not start, those that have are stopped. */
async function followAll(
  session: Session,
  launches: readonly Launch[],
  { names, nodes, ...options }: Following & { readonly names: readonly string[] },
): Promise<void> {
  const timeoutMs = timeoutOf(options)
  const outcomes = await Promise.allSettled(
    launches.map(launch =>
      followStart(launch, { live: false, quiet: true, nodes, clones: false, timeoutMs }),
    ),
  )
  const statuses = outcomes.flatMap(outcome => statusIn(outcome) ?? [])
  if (statuses.length === names.length) {
    if (options.json) printJson({ v: 1, clusters: statuses })
    else for (const status of statuses) print(clusterTable(status))
    return
  }
  await Promise.all(statuses.map(({ name }) => new OwnerClient(session.places, name).stop().catch(() => {})))
  const failed = outcomes.find(({ status }) => status === 'rejected')
  if (failed) throw (failed as PromiseRejectedResult).reason
  await Promise.all(launches.map(({ pid }) => gone(pid)))
  tell(cancelledText)
  process.exitCode = outcomes.map(interruptionIn).find(status => status !== undefined)
}

function statusIn(outcome: PromiseSettledResult<StartOutcome>): Status | undefined {
  return outcome.status === 'fulfilled' ? outcome.value.status : undefined
}

function interruptionIn(outcome: PromiseSettledResult<StartOutcome>): number | undefined {
  return outcome.status === 'fulfilled' ? outcome.value.interrupted : undefined
}

const most = 100

function namesOf(session: Session, options: ForkOptions): string[] {
  const name = clusterNameOf(session, options)
  const { count } = options
  if (count === undefined) return [name]
  const number = /^\d{1,3}$/.test(count) ? Number(count) : 0
  if (number >= 1 && number <= most)
    return Array.from({ length: number }, (_, index) => `${name}-${index + 1}`)
  const reason = `'${count}' is not a number of clusters from 1 to ${most}`
  throw new CliError({ code: 'BAD_USAGE', kind: 'usage', target: '--count', reason })
}
