import { realpathSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { namePattern } from '../../../base/index.ts'
import type { Status } from '../../../client/index.ts'
import type { JobOrder, SlurmJob } from '../../../fleet/index.ts'
import { CliError } from '../../errors.ts'
import { nameOption, timeoutOption } from '../../options/shared.ts'
import { print, tell } from '../../output.ts'
import { asTyped } from '../../program-name.ts'
import { type CommonOptions, clusterNameOf, type Session, timeoutOf } from '../../session.ts'
import { clusterTable } from '../../view/cluster.ts'
import { stoppable } from './stoppable.ts'

interface SubmitOptions extends CommonOptions {
  readonly hosts: string
  readonly constraint?: string
  readonly partition?: string
  readonly time?: string
  readonly dryRun?: boolean
}

export function configure(command: Command, session: Session): void {
  command
    .argument('<lab>', 'a topology file')
    .argument('[options...]', 'after --: more options of `xc host`')
    .requiredOption('--hosts <n>', 'how many hosts the lab gets')
    .option('--constraint <features>', 'only hosts with these features, as sbatch takes it')
    .option('--partition <name>', 'the partition of Slurm (default: its own)')
    .option('--time <limit>', 'end the lab after this time, as sbatch takes it (2:00:00)')
    .option('--dry-run', 'print the job script and submit nothing')
    .option(...nameOption)
    .option(...timeoutOption)
    .action(async (lab: string, more: readonly string[], options: SubmitOptions) => {
      const { jobScript } = await import('../../../fleet/index.ts')
      const order = await orderOf(session, { lab, more, options })
      if (options.dryRun) print(jobScript(order))
      else await submit(session, order, timeoutOf(options))
    })
}

interface Typed {
  readonly lab: string
  readonly more: readonly string[]
  readonly options: SubmitOptions
}

async function orderOf(session: Session, { lab, more, options }: Typed): Promise<JobOrder> {
  const hosts = /^\d{1,4}$/.test(options.hosts) ? Number(options.hosts) : 0
  if (hosts === 0) throw bad('--hosts', `'${options.hosts}' is not a number of hosts from 1 to 9999`)
  const name = clusterNameOf(session, options)
  if (!namePattern.test(name))
    throw bad('--name', `'${name}' is not a name of letters, digits, '.', '_' and '-'`)
  const { readTopology } = await import('../../../topology/index.ts')
  await readTopology(lab) // a bad one is refused here, and not on the hosts
  const { constraint, partition, time } = options
  const xc = [process.execPath, realpathSync(process.argv[1]!)]
  const command = [...xc, 'host', resolve(lab), '--name', name, ...more]
  return { name, hosts, constraint, partition, time, command }
}

async function submit(session: Session, order: JobOrder, timeoutMs: number | undefined): Promise<void> {
  const { cancelJob, checkSlurm, submitJob, untilReady } = await import('../../../fleet/index.ts')
  const slurm = { env: session.env }
  for (const notice of await checkSlurm(slurm)) tell(`note: ${notice}`)
  using stop = stoppable(timeoutMs)
  const job = await submitJob(slurm, order)
  tell(`Submitted job ${job}: ${order.name} on ${order.hosts} hosts.`)
  try {
    const lab = { name: order.name, job, folder: process.cwd(), onChange: tellChange }
    const ready = await untilReady({ ...slurm, signal: stop.signal }, lab)
    stop.signal.throwIfAborted()
    await shown(order, job, ready!)
  } catch (failure) {
    await cancelJob(slurm, job)
    if (stop.status === undefined) throw failure
    tell(`Cancelled job ${job}.`)
    process.exitCode = stop.status
  }
}

/** What the leader has written goes with it: the status of a lab changes. */
async function shown({ name }: JobOrder, job: string, text: string): Promise<void> {
  const { jobFiles } = await import('../../../fleet/index.ts')
  await rm(jobFiles(name, job).status, { force: true })
  print(clusterTable(JSON.parse(text) as Status))
  tell(asTyped(`Stop it: xc cancel ${job}`))
}

function tellChange({ id, state, reason }: SlurmJob): void {
  tell(`job ${id}: ${state.toLowerCase()}${reason === 'None' ? '' : ` (${reason})`}`)
}

function bad(target: string, reason: string): CliError {
  return new CliError({ code: 'BAD_USAGE', kind: 'usage', target, reason })
}
