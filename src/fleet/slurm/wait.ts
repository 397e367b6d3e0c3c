import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isSystemError, printable, systemClock, until } from '../../base/index.ts'
import { FleetError } from '../errors.ts'
import { jobFiles } from './job-script.ts'
import { jobById, refuseStuck, type SlurmJob } from './jobs.ts'
import type { SlurmPrograms } from './programs.ts'

/** A lab that has been submitted. */
export interface SubmittedLab {
  readonly name: string
  readonly job: string
  /** The working directory of the job, in a file system that its hosts share with this one. */
  readonly folder: string
  /** Hears when the job's state, or the reason for which it waits, has changed. */
  readonly onChange?: (job: SlurmJob) => void
}

const everyMs = 250
/** Slurm is asked at each eighth look: its controller serves all users. */
const looksPerQuestion = 8

/**
 * What the leader has written when all nodes were ready. Undefined when the signal aborts first. Throws JOB_ENDED for a
 * job that ends before, with the last lines of its output, and JOB_STUCK for one that Slurm will not start.
 */
export async function untilReady(slurm: SlurmPrograms, lab: SubmittedLab): Promise<string | undefined> {
  const { log, status } = jobFiles(lab.name, lab.job)
  const written = () => textOf(join(lab.folder, status))
  let [looks, before] = [0, '']
  const look = async () => {
    const text = written()
    if (text !== undefined || looks++ % looksPerQuestion !== 0) return text
    const job = await jobById(slurm, lab.job)
    // It may have become ready and ended between the two questions.
    if (!job) return written() ?? ended(lab, join(lab.folder, log))
    refuseStuck(job)
    if (before !== `${job.state} ${job.reason}`) lab.onChange?.(job)
    before = `${job.state} ${job.reason}`
    return undefined
  }
  return await until(systemClock, look, { everyMs, signal: slurm.signal, why: 'job' })
}

function ended({ job }: SubmittedLab, log: string): never {
  const said = textOf(log)?.trim().split('\n').slice(-8)
  const lines = said?.map(line => `  ${printable(line)}`).join('\n')
  const reason = lines
    ? `it ended before all nodes were ready. It printed:\n${lines}`
    : 'it ended without any output'
  const remedy = said
    ? `All of its output: ${log}`
    : `Is ${log} on a file system that its hosts share with this one?`
  throw new FleetError({ code: 'JOB_ENDED', op: 'wait for', target: `job ${job}`, reason, remedy })
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (failure) {
    if (isSystemError(failure, 'ENOENT', 'ESTALE')) return undefined
    throw failure
  }
}
