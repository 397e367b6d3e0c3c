import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect } from 'vitest'
import { inProject, readText } from '../../house/project.ts'
import { test } from '../../support/leaks.ts'
import { Slurm, whyNoSlurm } from '../../support/slurm.ts'
import { waitFor } from '../../support/wait.ts'

const why = await whyNoSlurm()
let slurm: Slurm

beforeEach(async ({ skip }) => {
  skip(why !== undefined, why)
  slurm = await Slurm.start({ hosts: 2 })
})
afterEach(() => slurm?.close())

/** The script of docs/slurm.md with four tasks, this `xc`, and a test that does not end. */
function farmScript(): string {
  const [, script] = /```sh\n(#!\/bin\/sh\n#SBATCH --array[\s\S]*?)```/.exec(readText('docs/slurm.md'))!
  return script!
    .replace('--array=1-30', '--array=1-4')
    .replaceAll('npx xc', `${process.execPath} ${inProject('bin/xc.js')}`)
    .replace('./my-test', 'sh -c "hostname; sleep 3000"')
}

const outputs = () =>
  readdirSync(slurm.folder)
    .filter(name => /^farm-\d+-\d+\.log$/.test(name))
    .map(name => readFileSync(join(slurm.folder, name), 'utf8'))

test('the job array of docs/slurm.md runs a cluster in each task, and leaves nothing when it is cancelled', async () => {
  const lab = 'name: tiny\nnodes: 2\nrouters: 0\nnets: { vm: [0, 1] }\nsettings: { mem: 128 }\n'
  writeFileSync(join(slurm.folder, 'lab.yaml'), lab)
  writeFileSync(join(slurm.folder, 'farm.sh'), farmScript())
  await slurm.run(['sbatch', 'farm.sh'])
  const inTest = () => outputs().filter(text => /^reached: IPv4 4 of 4[\s\S]*^vm-001$/m.test(text)).length
  await waitFor(() => inTest() === 4, 120_000)
  expect(inTest(), outputs().join('\n')).toBe(4)
  expect(slurm.processes().filter(({ command }) => /^\S*qemu-system/.test(command))).toHaveLength(8)
  await slurm.run(['scancel', '1'])
  await waitFor(() => slurm.processes().length === 0, 20_000)
  expect(slurm.processes()).toEqual([])
  expect(outputs().filter(text => text.includes('Stopped cluster'))).toHaveLength(4)
})
