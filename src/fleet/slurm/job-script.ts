import { secretVariable } from './environment.ts'

/** What is asked of Slurm for one lab. */
export interface JobOrder {
  /** The lab's name. The job's is {@link jobName}. */
  readonly name: string
  readonly hosts: number
  readonly constraint?: string | undefined
  readonly partition?: string | undefined
  /** As sbatch(1) takes it: `30`, `2:00:00`, `1-0`. */
  readonly time?: string | undefined
  /** The command that each host runs. It gets one more option: the file for the status. */
  readonly command: readonly string[]
}

export const jobName = (name: string): string => `xcluster-${name}`

/** Files of a job in its working directory: the output of all hosts, and what the leader says when the lab is ready. */
export const jobFiles = (name: string, job: string): { readonly log: string; readonly status: string } => ({
  log: `${jobName(name)}-${job}.log`,
  status: `${jobName(name)}-${job}.json`,
})

/**
 * The script of a job that has whole hosts, one process on each. The job gets a secret of its own, which neither the
 * script nor Slurm's controller has: the first host makes it, and Slurm gives it to the others with the step.
 */
export function jobScript({ name, hosts, constraint, partition, time, command }: JobOrder): string {
  const asked = [
    `--job-name=${jobName(name)}`,
    `--output=${jobFiles(name, '%j').log}`,
    `--nodes=${hosts}`,
    '--ntasks-per-node=1',
    '--exclusive',
    '--mem=0',
    '--no-requeue',
    ...given({ constraint, partition, time }),
  ]
  return `#!/bin/sh
${asked.map(option => `#SBATCH ${option}\n`).join('')}
${secretVariable}=$(od -An -N32 -tx1 /dev/urandom | tr -d ' \\n')
export ${secretVariable}
# A login session has this directory, and its job may run without one.
unset XDG_RUNTIME_DIR
# srun would go on without the slurmstepd of this script.
(while [ -d /proc/$PPID ] && [ -d /proc/$$ ]; do sleep 1; done; kill $$) 2>/dev/null &
exec srun --kill-on-bad-exit=1 --wait=5 --resv-ports=2 \\
  ${command.map(quoted).join(' ')} \\
  --status-file="${jobFiles(name, '$SLURM_JOB_ID').status}"
`
}

function given(options: Readonly<Record<string, string | undefined>>): string[] {
  return Object.entries(options).flatMap(([name, value]) =>
    value === undefined ? [] : [`--${name}=${quoted(value)}`],
  )
}

/** A word of the shell, and of an #SBATCH line, which has the same quotes. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`
}
