import { writeSync } from 'node:fs'
import { type Clock, messageOf, systemClock, until } from '../../base/index.ts'
import { sealedMemfd } from '../../sys/index.ts'
import { FleetError } from '../errors.ts'
import { checkSettings, slurmSettings } from './config.ts'
import { type JobOrder, jobName, jobScript } from './job-script.ts'
import { runSlurm, type SlurmPrograms } from './programs.ts'

/** A job that has not ended yet. */
export interface SlurmJob {
  /** `17`; `17_3` for a task of an array. */
  readonly id: string
  /** As squeue(1) names it: `PENDING`, `RUNNING`, `COMPLETING`. */
  readonly state: string
  /** Why it waits: `Resources`, `Priority`. `None` when it does not. */
  readonly reason: string
}

/** What keeps a job waiting until an administrator or its order changes (squeue(1), JOB REASON CODES). */
const lasting =
  /^(?:PartitionNodeLimit|PartitionTimeLimit|BadConstraints|(?:Account|QOS)NotAllowed|Invalid\w+)$/

/** What Slurm's settings lack for a lab, in sentences. Throws SLURM_SETTINGS for what it cannot do without. */
export async function checkSlurm(slurm: SlurmPrograms): Promise<string[]> {
  return checkSettings(slurmSettings(await runSlurm(slurm, 'scontrol', ['show', 'config'])))
}

/** Submits the job of a lab and returns its id. Throws JOB_EXISTS (usage) when this user has one of that name. */
export async function submitJob(slurm: SlurmPrograms, order: JobOrder): Promise<string> {
  const [running] = await jobsOf(slurm, order.name)
  if (running)
    throw new FleetError({
      code: 'JOB_EXISTS',
      kind: 'usage',
      op: 'submit',
      target: order.name,
      reason: `job ${running.id} of Slurm has this lab (${running.state})`,
      remedy: 'Cancel that job first, or give the lab another name',
    })
  await using script = await sealedMemfd('job', fd => void writeSync(fd, jobScript(order)))
  const said = await runSlurm(slurm, 'sbatch', ['--parsable', `/proc/${process.pid}/fd/${script.fd}`])
  return said.trim().split(';')[0]! // after it: the name of the cluster, at sites with several
}

/** The jobs of this user that have a lab of that name. */
export async function jobsOf(slurm: SlurmPrograms, name: string): Promise<SlurmJob[]> {
  return parsed(await runSlurm(slurm, 'squeue', ['--me', ...listed, `--name=${jobName(name)}`]))
}

/** The job, unless it has ended. */
export async function jobById(slurm: SlurmPrograms, id: string): Promise<SlurmJob | undefined> {
  try {
    return parsed(await runSlurm(slurm, 'squeue', [...listed, `--jobs=${id}`]))[0]
  } catch (failure) {
    // That of a job which slurmctld has forgotten (slurm.conf(5), MinJobAge).
    if (/Invalid job id/.test(messageOf(failure))) return undefined
    throw failure
  }
}

const listed = ['--noheader', '--format=%i|%T|%r']

function parsed(text: string): SlurmJob[] {
  return text
    .split('\n')
    .filter(Boolean)
    .map(line => line.trim().split('|'))
    .map(([id = '', state = '', reason = 'None']) => ({ id, state, reason }))
}

/** Throws JOB_STUCK (usage) for a job that waits for what does not come by itself. */
export function refuseStuck({ id, state, reason }: SlurmJob): void {
  if (state === 'PENDING' && lasting.test(reason))
    throw new FleetError({
      code: 'JOB_STUCK',
      kind: 'usage',
      op: 'wait for',
      target: `job ${id}`,
      reason: `Slurm does not start it: ${reason}`,
      remedy: 'Ask for fewer hosts, less time, another partition or constraint',
    })
}

/** Ends the job, and returns when nothing of it runs. Waits for the hosts' epilogs, too. */
export async function cancelJob(slurm: SlurmPrograms, id: string, clock: Clock = systemClock): Promise<void> {
  await runSlurm(slurm, 'scancel', [id])
  const { signal } = slurm
  await until(clock, async () => !(await jobById(slurm, id)), { everyMs: 250, signal, why: 'job' })
  signal?.throwIfAborted()
}
