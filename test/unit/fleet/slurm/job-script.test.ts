import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { jobFiles, jobScript } from '../../../../src/fleet/slurm/job-script.ts'

const order = { name: 'big', hosts: 3, command: ['/usr/bin/xc', 'host', '/home/me/lab.yaml'] }

test('a job has whole hosts, one process on each, ports and a secret of its own', () => {
  expect(jobScript(order)).toBe(`#!/bin/sh
#SBATCH --job-name=xcluster-big
#SBATCH --output=xcluster-big-%j.log
#SBATCH --nodes=3
#SBATCH --ntasks-per-node=1
#SBATCH --exclusive
#SBATCH --mem=0
#SBATCH --no-requeue

XCLUSTER_SECRET=$(od -An -N32 -tx1 /dev/urandom | tr -d ' \\n')
export XCLUSTER_SECRET
# A login session has this directory, and its job may run without one.
unset XDG_RUNTIME_DIR
# srun would go on without the slurmstepd of this script.
(while [ -d /proc/$PPID ] && [ -d /proc/$$ ]; do sleep 1; done; kill $$) 2>/dev/null &
exec srun --kill-on-bad-exit=1 --wait=5 --resv-ports=2 \\
  /usr/bin/xc host /home/me/lab.yaml \\
  --status-file="xcluster-big-$SLURM_JOB_ID.json"
`)
  expect(jobFiles('big', '17')).toEqual({ log: 'xcluster-big-17.log', status: 'xcluster-big-17.json' })
})

test('what is asked of Slurm is in the script', () => {
  const script = jobScript({ ...order, constraint: 'intel&gpu', partition: 'lab', time: '2:00:00' })
  expect(script).toContain("#SBATCH --constraint='intel&gpu'\n")
  expect(script).toContain('#SBATCH --partition=lab\n')
  expect(script).toContain('#SBATCH --time=2:00:00\n')
})

test('words with quotes, spaces and dollars reach the command as they are', () => {
  const odd = [`it's`, 'a b', '$HOME', '`x`', '"', 'a\\b', '*', '']
  const script = jobScript({ ...order, command: ['printf', '<%s>', ...odd] })
  const { stdout } = spawnSync(
    'sh',
    ['-c', script.replace(/^\(while.*\n/m, '').replace(/^exec srun.*\\$/m, 'exec \\')],
    {
      encoding: 'utf8',
    },
  )
  expect(stdout).toBe(`${odd.map(word => `<${word}>`).join('')}<--status-file=xcluster-big-.json>`)
})
