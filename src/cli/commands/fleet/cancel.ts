import type { Command } from 'commander'
import { durationText } from '../../../base/index.ts'
import { CliError } from '../../errors.ts'
import { nameOption, timeoutOption } from '../../options/shared.ts'
import { tell } from '../../output.ts'
import { type CommonOptions, clusterNameOf, type Session, timeoutOf } from '../../session.ts'

export function configure(command: Command, session: Session): void {
  command
    .argument('[job]', 'the id of the job (default: the one of the lab --name)')
    .option(...nameOption)
    .option(...timeoutOption)
    .action(async (job: string | undefined, options: CommonOptions) => {
      const timeoutMs = timeoutOf(options)
      const ids = job === undefined ? await idsOf(session, clusterNameOf(session, options)) : [job]
      for (const id of ids) await cancel(session, id, timeoutMs)
    })
}

async function idsOf({ env }: Session, name: string): Promise<string[]> {
  const { jobsOf } = await import('../../../fleet/index.ts')
  const jobs = await jobsOf({ env }, name)
  if (jobs.length === 0) throw missing(`no job of this user has the lab '${name}'`)
  return jobs.map(({ id }) => id)
}

async function cancel({ env }: Session, id: string, timeoutMs: number | undefined): Promise<void> {
  const { cancelJob, jobById } = await import('../../../fleet/index.ts')
  const valid = /^\d{1,10}(?:_\d{1,10})?$/.test(id)
  if (!valid || !(await jobById({ env }, id))) throw missing(`no job '${id}' is waiting or running`)
  const signal = timeoutMs === undefined ? undefined : AbortSignal.timeout(timeoutMs)
  try {
    await cancelJob({ env, signal }, id)
  } catch (failure) {
    throw signal?.aborted ? late(id, timeoutMs!) : failure
  }
  tell(`Cancelled job ${id}.`)
}

function missing(reason: string): CliError {
  return new CliError({
    code: 'JOB_MISSING',
    kind: 'missing',
    op: 'cancel',
    reason,
    remedy: 'List them: squeue --me',
  })
}

function late(id: string, ms: number): CliError {
  const reason = `it is still ending after ${durationText(ms)}`
  return new CliError({
    code: 'JOB_LATE',
    op: 'cancel',
    target: `job ${id}`,
    reason,
    remedy: 'See: squeue --me',
  })
}
