import { fileURLToPath } from 'node:url'
import { beforeEach, describe, expect } from 'vitest'
import { test } from '../../support/leaks.ts'
import { Slurm, whyNoSlurm } from '../../support/slurm.ts'
import { waitFor } from '../../support/wait.ts'

const jiti = import.meta.resolve('jiti/register')
const fleet = fileURLToPath(new URL('../../../src/fleet/slurm/environment.ts', import.meta.url))
const sayValues = `import(${JSON.stringify(fleet)}).then(fleet => {
  const { secret, ...values } = (fleet.default ?? fleet).slurmValues(process.env)
  console.log(JSON.stringify({ ...values, secret: secret.toString('hex') }))
})`

const why = await whyNoSlurm()

beforeEach(({ skip }) => skip(why !== undefined, why))

describe('a real Slurm of three hosts', () => {
  test('gives each task of a step its host, its rank and the ports of all', async () => {
    await using slurm = await Slurm.start()
    const script = 'echo "$SLURM_PROCID $(hostname) $SLURM_STEP_RESV_PORTS $(getent hosts n2)"'
    const said = await slurm.run(['srun', '-N3', '-n3', '--resv-ports=2', 'sh', '-c', script])
    const [first] = said.match(/\d+-\d+/) ?? []
    expect(said.trim().split('\n').sort()).toEqual(
      [0, 1, 2].map(rank => `${rank} n${rank + 1} ${first} 10.99.0.2       n2`),
    )
    expect(await waitFor(() => slurm.processes().length === 0)).toBe(true)
  })

  test('gives each task what a host of a lab needs to know', async () => {
    await using slurm = await Slurm.start()
    const secret = '00112233445566778899aabbccddeeff'
    const step = ['srun', '-N3', '-n3', '--resv-ports=2', 'env', `XCLUSTER_SECRET=${secret}`]
    const said = await slurm.run([...step, process.execPath, '--import', jiti, '-e', sayValues])
    const values = said
      .trim()
      .split('\n')
      .map(line => JSON.parse(line))
    const ends = { endsWithParent: true, endsTogether: true }
    const peers = ['n1', 'n2', 'n3']
    const same = { job: '1.0', count: 3, peers, ports: values[0].ports, secret, ...ends }
    expect(values.sort((a, b) => a.rank - b.rank)).toEqual([0, 1, 2].map(rank => ({ ...same, rank })))
    expect(same.ports).toHaveLength(2)
  })

  test('leaves nothing when it is closed while a job runs', async () => {
    await using slurm = await Slurm.start()
    await slurm.run(['sbatch', '-N3', '--wrap', 'srun -n3 setsid sleep 1000'])
    const sleeping = () => slurm.processes().filter(({ command }) => command === 'sleep 1000').length
    expect(await waitFor(() => sleeping() === 3, 20_000)).toBe(true)
  })
})
