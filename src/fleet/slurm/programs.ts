import { searchPath } from '../../base/index.ts'
import { findProgram, runUserScript, scriptFailure, startFailure } from '../../sys/index.ts'
import { FleetError } from '../errors.ts'

/** The programs of Slurm that are started: it has no other interface that all sites have. */
export type SlurmProgram = 'sbatch' | 'scancel' | 'scontrol' | 'squeue'

/** Starts programs of Slurm, found in PATH and with this environment: SLURM_CONF, SBATCH_ACCOUNT and others count. */
export interface SlurmPrograms {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly signal?: AbortSignal | undefined
}

/** Bytes of output. A list of all jobs of a large site has less. */
const most = 16 << 20
/** Milliseconds. Slurm's own limit for an answer is 10 s, and its programs try again (slurm.conf(5), MessageTimeout). */
const limitMs = 60_000

/**
 * The standard output of a program that ends with status 0. Throws SLURM_MISSING (prerequisite) when it is not in PATH,
 * and SLURM_REFUSED with Slurm's own words for another status.
 */
export async function runSlurm(
  { env, signal }: SlurmPrograms,
  program: SlurmProgram,
  args: readonly string[],
): Promise<string> {
  const file = pathOf(program, env)
  const limit = AbortSignal.timeout(limitMs)
  const either = signal ? AbortSignal.any([signal, limit]) : limit
  const end = await runUserScript({ file, args, env, signal: either, most })
  signal?.throwIfAborted()
  if (end.code === 0) return end.stdout.toString('utf8')
  const late = limit.aborted ? `it has not answered within ${limitMs / 1000} s` : undefined
  throw refused(program, late ?? startFailure(end) ?? saidIn(end.stderr) ?? scriptFailure(end))
}

function pathOf(program: SlurmProgram, env: SlurmPrograms['env']): string {
  const found = findProgram(program, searchPath(env))
  if (found) return found
  throw new FleetError({
    code: 'SLURM_MISSING',
    kind: 'prerequisite',
    op: 'start',
    target: program,
    reason: 'no directory of PATH has it',
    remedy: 'Run this on a machine from which jobs of Slurm are submitted',
  })
}

/** `sbatch: error: Batch job submission failed: Invalid feature specification` without its beginning; the last such line. */
function saidIn(stderr: string): string | undefined {
  const lines = stderr.trim().split('\n').filter(Boolean)
  return lines.at(-1)?.replace(/^(?:\w+: )?(?:(?:fatal|error): )?/, '')
}

function refused(program: SlurmProgram, reason: string): FleetError {
  return new FleetError({ code: 'SLURM_REFUSED', op: 'run', target: program, reason })
}
