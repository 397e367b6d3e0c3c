import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect } from 'vitest'
import { type Census, takeCensus, test } from '../../support/leaks.ts'
import { Slurm, whyNoSlurm } from '../../support/slurm.ts'
import { waitFor } from '../../support/wait.ts'
import { Xc } from '../../support/xc.ts'

/** Two nodes on each of three hosts, all on net 1. */
const lab = `
name: across
nodes: 6
routers: 0
nets: { vm: [0, 1] }
host: { 1-2: 0, 3-4: 1, 5-6: 2 }
settings: { mem: 128 }
`

const why = await whyNoSlurm()
const before = process.cwd()
let slurm: Slurm
let xc: Xc
let census: Census

beforeEach(async ({ skip }) => {
  skip(why !== undefined, why)
  slurm = await Slurm.start()
  xc = new Xc()
  const { PATH, SLURM_CONF, LD_LIBRARY_PATH } = slurm.env
  Object.assign(xc.env, { PATH, SLURM_CONF, LD_LIBRARY_PATH })
  writeFileSync(join(slurm.folder, 'lab.yaml'), lab)
  process.chdir(slurm.folder) // from where jobs are submitted
  census = await takeCensus({ directories: [] }) // a killed owner's runtime directory stays until the next command
})
afterEach(async () => {
  process.chdir(before)
  await slurm?.close()
})
/** Submits the lab, and returns the id of its job. */
async function submitted(name: string): Promise<{ job: string; stdout: string }> {
  const { status, stdout, stderr } = await xc.run([
    'submit',
    'lab.yaml',
    '--hosts',
    '3',
    '--timeout',
    '120',
    '--name',
    name,
  ])
  if (status !== 0) throw new Error(stderr)
  return { job: /^Submitted job (\d+)/m.exec(stderr)![1]!, stdout }
}

/** Runs `xc` as on the leader's host. */
async function onLeader(args: readonly string[]): Promise<string> {
  const there = new Xc()
  Object.assign(there.env, { XDG_RUNTIME_DIR: slurm.runtimeOf(0) })
  return await there.good(args)
}

const running = (pattern: RegExp) => slurm.processes().filter(({ command }) => pattern.test(command))

/** What runs on the hosts. The rest is Slurm's own: srun and the batch script, which wait for KillWait. */
const ofLab = () => running(/^(?!srun )\S+(qemu-system|node .*xc\.js host )|^slurmstepd: \[\d+\.\d+\]/)

/** Expects that all hosts are clean after 5 s, and that then the job ends. */
async function everythingEnds({ queueMs = 0 } = {}): Promise<void> {
  await waitFor(() => ofLab().length === 0, 5000)
  expect(ofLab()).toEqual([])
  await census.expectUnchanged({ withinMs: 20_000 })
  expect(slurm.processes()).toEqual([])
  const queue = () => slurm.run(['squeue', '--noheader'])
  await waitFor(async () => (await queue()) === '', queueMs)
  expect(await queue()).toBe('')
}

/** Kills of each kind. bench/killed-jobs.sh sets more. */
const kills = Number(process.env.KILLS ?? 1)
const step = /^slurmstepd: \[\d+\.0\]/
const srun = /^srun /
const host = /^(?!srun ).*xc\.js host /
/** What is killed: a command of the job, and which of those. */
const victims: readonly (readonly [name: string, pattern: RegExp, index: number])[] = [
  ['its slurmstepd on one host', step, 1],
  ['`xc host` 0', host, 0],
  ['`xc host` 1', host, 1],
]
const more: typeof victims = [
  ['its first slurmstepd', step, 0],
  ['`xc host` 2', host, 2],
  ['srun', srun, 0],
]
const deaths = Array.from({ length: kills }, (_, round) =>
  [...victims, ...(kills > 1 ? more : [])].map(victim => [...victim, round] as const),
).flat()

describe('a lab on three hosts of Slurm', () => {
  test('is submitted, shown, reached across hosts, and gone when it is cancelled', async () => {
    const { job, stdout } = await submitted('across')
    expect(stdout).toMatch(/^cluster across: ready in .*, across, 6 nodes/)
    for (const id of [1, 2, 3, 4, 5, 6])
      expect(stdout).toMatch(new RegExp(`^${id} +vm-00${id} +vm +ready`, 'm'))
    expect(readdirSync(slurm.folder).sort()).toEqual(['lab.yaml', `xcluster-across-${job}.log`])
    expect(running(/qemu-system/)).toHaveLength(6)
    const named = ['--name', 'across']
    expect(await onLeader(['check', ...named])).toContain('reached: IPv4 36 of 36, IPv6 36 of 36')
    expect(await onLeader(['exec', ...named, '5', '--', 'hostname'])).toBe('vm-005\n')
    expect(await xc.run(['cancel', ...named])).toMatchObject({ status: 0, stderr: `Cancelled job ${job}.\n` })
    await everythingEnds()
  })

  test.for(deaths)(
    'ends whole when %s is killed',
    { timeout: 120_000 },
    async ([, pattern, index, round]) => {
      await submitted(`kill${round}`)
      const processes = running(pattern)
      const isSrun = pattern === srun
      if (!isSrun) expect(processes).toHaveLength(3)
      process.kill(processes[index]!.pid, 'SIGKILL')
      await everythingEnds({ queueMs: isSrun ? 20_000 : 0 })
    },
  )
})
