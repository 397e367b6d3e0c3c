import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect } from 'vitest'
import { cancelJob, checkSlurm, jobById, jobsOf, submitJob, untilReady } from '../../../src/fleet/index.ts'
import { test } from '../../support/leaks.ts'
import { Slurm, whyNoSlurm } from '../../support/slurm.ts'
import { waitFor } from '../../support/wait.ts'

const why = await whyNoSlurm()
let slurm: Slurm

beforeAll(async () => {
  if (why === undefined) slurm = await Slurm.start()
})
afterAll(() => slurm?.close())
beforeEach(({ skip }) => skip(why !== undefined, why))

/** A host that is ready at once: the last word is the option with the file for the status. */
const ready = `case $SLURM_PROCID in 0) echo ready > "\${1#--status-file=}";; esac; exec sleep 1000`
const host = (script: string) => ['sh', '-c', script, 'sh']

/** Submits to the shared folder: sbatch takes the working directory of its parent. */
async function submitted(name: string, script: string, hosts = 3): Promise<string> {
  const before = process.cwd()
  process.chdir(slurm.folder)
  try {
    return await submitJob(slurm, { name, hosts, command: host(script) })
  } finally {
    process.chdir(before)
  }
}

async function nothingRuns(): Promise<void> {
  const ended = await waitFor(() => slurm.processes().length === 0, 10_000)
  if (!ended) throw new Error(JSON.stringify(slurm.processes()))
}

describe('a job of Slurm', () => {
  test('is ready when its leader has said so, and gone when it has been cancelled', async () => {
    const job = await submitted('whole', ready)
    const states: string[] = []
    const lab = {
      name: 'whole',
      job,
      folder: slurm.folder,
      onChange: (each: { state: string }) => states.push(each.state),
    }
    expect(await untilReady(slurm, lab)).toBe('ready\n')
    expect(states.length).toBeGreaterThan(0)
    expect(await jobsOf(slurm, 'whole')).toEqual([{ id: job, state: 'RUNNING', reason: 'None' }])
    expect(await jobsOf(slurm, 'other')).toEqual([])
    expect(slurm.processes().filter(({ command }) => command === 'sleep 1000')).toHaveLength(3)
    await cancelJob(slurm, job)
    expect(await jobById(slurm, job)).toBeUndefined()
    await nothingRuns()
  })

  test('has a secret of its own, which its script does not have', async () => {
    const secrets: string[] = []
    for (const name of ['one', 'two']) {
      const job = await submitted(name, 'echo "$SLURM_PROCID $XCLUSTER_SECRET"')
      expect(await waitFor(async () => !(await jobById(slurm, job)), 20_000)).toBe(true)
      const said = readFileSync(join(slurm.folder, `xcluster-${name}-${job}.log`), 'utf8')
      const lines = said.trim().split('\n').sort()
      secrets.push(lines[0]!.slice(2))
      expect(lines).toEqual([0, 1, 2].map(rank => `${rank} ${secrets.at(-1)}`))
    }
    expect(secrets[0]).toMatch(/^[\da-f]{64}$/)
    expect(secrets[1]).not.toBe(secrets[0])
    await nothingRuns()
  })

  test('is refused while another one of its user has the same name', async () => {
    const job = await submitted('same', ready)
    await expect(submitted('same', ready)).rejects.toThrow(`submit same: job ${job} of Slurm has this lab (`)
    await cancelJob(slurm, job)
    await nothingRuns()
  })

  test('that ends before it is ready is reported with its last words', async () => {
    const job = await submitted('ends', 'echo "cannot be: $SLURM_PROCID" >&2; exit 1')
    const lab = { name: 'ends', job, folder: slurm.folder }
    await expect(untilReady(slurm, lab)).rejects.toThrow(
      /^wait for job \d+: it ended before all nodes were ready\. It printed:\n[\s\S]*cannot be: \d/,
    )
    await nothingRuns()
  })

  test('that Slurm will never start is refused with its reason', async () => {
    const job = await submitted('large', ready, 4)
    await expect(untilReady(slurm, { name: 'large', job, folder: slurm.folder })).rejects.toThrow(
      `wait for job ${job}: Slurm does not start it: PartitionNodeLimit. Ask for fewer hosts`,
    )
    await cancelJob(slurm, job)
  })

  test('that Slurm refuses is reported in its words', async () => {
    const order = { name: 'bad', hosts: 1, constraint: 'fast&new', command: host(ready) }
    await expect(submitJob(slurm, order)).rejects.toThrow(
      'run sbatch: Batch job submission failed: Invalid feature specification',
    )
    expect(await jobsOf(slurm, 'bad')).toEqual([])
  })

  test('ends on all hosts when one of them ends', async () => {
    const job = await submitted('falls', ready)
    await untilReady(slurm, { name: 'falls', job, folder: slurm.folder })
    const [one] = slurm.processes().filter(({ command }) => command === 'sleep 1000')
    process.kill(one!.pid, 'SIGKILL')
    await nothingRuns()
    expect(await waitFor(async () => !(await jobById(slurm, job)), 10_000)).toBe(true)
  })

  test.each(['batch', 'srun'])('leaves nothing on any host when its %s is killed', async what => {
    const job = await submitted(what, ready)
    await untilReady(slurm, { name: what, job, folder: slurm.folder })
    const pattern = what === 'srun' ? /^srun / : /^slurmstepd: \[\d+\.batch\]/
    const [killed] = slurm.processes().filter(({ command }) => pattern.test(command))
    process.kill(killed!.pid, 'SIGKILL')
    await nothingRuns()
    await cancelJob(slurm, job)
  })
})

describe("Slurm's settings", () => {
  test('that are weak are told', async () => {
    expect(await checkSlurm(slurm)).toEqual([
      expect.stringMatching(/by linuxproc.*ProctrackType=proctrack\/cgroup/),
    ])
  })

  test('without ports for steps are refused, with what to set', async () => {
    await using bare = await Slurm.start({ hosts: 1, settings: { MpiParams: undefined } })
    await expect(checkSlurm(bare)).rejects.toThrow(
      /^use Slurm 22\.05\.8: it reserves no ports.*MpiParams=ports=23000-23999 .*slurm\.conf/,
    )
  })

  test('cannot be read where Slurm is not, and that is said', async () => {
    await expect(checkSlurm({ env: { PATH: '/nowhere' } })).rejects.toThrow(
      'start scontrol: no directory of PATH has it. Run this on a machine from which',
    )
  })
})
