import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect } from 'vitest'
import { test } from '../../support/leaks.ts'
import { Slurm, whyNoSlurm } from '../../support/slurm.ts'
import { oneSentence, Xc } from '../../support/xc.ts'

const why = await whyNoSlurm()
let slurm: Slurm
let xc: Xc
let lab: string

beforeAll(async () => {
  if (why !== undefined) return
  slurm = await Slurm.start()
  xc = new Xc()
  const { PATH, SLURM_CONF, LD_LIBRARY_PATH } = slurm.env
  Object.assign(xc.env, { PATH, SLURM_CONF, LD_LIBRARY_PATH })
  lab = join(slurm.folder, 'lab.yaml')
  writeFileSync(lab, 'name: tiny\nnodes: 2\nrouters: 0\nnets: { vm: [0, 1] }\n')
})
afterAll(() => slurm?.close())
beforeEach(({ skip }) => skip(why !== undefined, why))

/** The names of the jobs that wait or run. */
const jobs = async () => (await slurm.run(['squeue', '-h', '-o', '%j'])).trim().split('\n').filter(Boolean)

describe('xc submit', () => {
  test.each([
    [['nowhere.yaml', '--hosts', '2'], 2, /nowhere\.yaml/],
    [['LAB', '--hosts', 'two'], 2, /--hosts: 'two' is not a number of hosts from 1 to 9999/],
    [['LAB', '--hosts', '2', '--name', 'a b'], 2, /--name: 'a b' is not a name/],
    [['LAB', '--hosts', '2', '--timeout', '-1'], 2, /--timeout/],
    [['LAB', '--hosts', '2', '--partition', 'none'], 1, /run sbatch: .*[Pp]artition/],
    [['LAB', '--hosts', '2', '--constraint', 'x&y'], 1, /run sbatch: .*Invalid feature specification/],
    [['LAB', '--hosts', '4'], 2, /Slurm does not start it: PartitionNodeLimit/],
  ])('%j ends with status %i and one sentence, and leaves no job', async (args, status, sentence) => {
    const words = args.map(word => (word === 'LAB' ? lab : word))
    const { stderr, ...end } = await xc.run(['submit', ...words])
    const last = stderr.split('\n').slice(-2).join('\n')
    expect(last).toMatch(oneSentence)
    expect(last).toMatch(sentence)
    expect(end).toMatchObject({ status, stdout: '' })
    expect(await jobs()).toEqual([])
  })

  test('cancels a job that waits, on Ctrl-C and at the time limit', async () => {
    await slurm.run(['sbatch', '-N3', '--exclusive', '--job-name=first', '--wrap', 'sleep 1000'])
    const waiting = xc.begin(['submit', lab, '--hosts', '2'])
    await waiting.says(/pending \(Resources\)/)
    expect(await jobs()).toEqual(expect.arrayContaining(['first', 'xcluster-default']))
    waiting.child.kill('SIGINT')
    expect(await waiting.result).toMatchObject({
      status: 130,
      stderr: expect.stringMatching(/^Cancelled job/m),
    })
    const late = await xc.run(['submit', lab, '--hosts', '2', '--timeout', '1'])
    expect(late).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/within 1 s\. It has been cancelled/),
    })
    expect(await jobs()).toEqual(['first'])
    await slurm.run(['scancel', '--name=first'])
  })
})

describe('xc cancel', () => {
  test('says that there is no such job, with status 3', async () => {
    const absent = await xc.run(['cancel', '99'])
    expect(absent).toMatchObject({
      status: 3,
      stderr: expect.stringMatching(/^xc: cancel: no job '99' is waiting/),
    })
    const none = await xc.run(['cancel', '--name', 'none'])
    expect(none).toMatchObject({
      status: 3,
      stderr: expect.stringMatching(/no job of this user has the lab 'none'/),
    })
  })
})
