import { expect, test } from 'vitest'
import { slurmValues } from '../../../../src/fleet/slurm/environment.ts'

const secret = '00112233445566778899aabbccddeeff'
const env = {
  SLURM_JOB_ID: '17',
  SLURM_STEP_ID: '0',
  SLURM_PROCID: '2',
  SLURM_NTASKS: '3',
  SLURM_STEP_NODELIST: 'n[1-3]',
  SLURM_STEP_RESV_PORTS: '23001-23002',
  XCLUSTER_SECRET: secret,
}

test('a task of a step gets its values from Slurm', () => {
  expect(slurmValues(env)).toEqual({
    job: '17.0',
    rank: 2,
    count: 3,
    peers: ['n1', 'n2', 'n3'],
    ports: [23_001, 23_002],
    secret: Buffer.from(secret, 'hex'),
    endsWithParent: true,
    endsTogether: true,
  })
})

test('a process outside of any job gets nothing', () => {
  expect(slurmValues({})).toBeUndefined()
})

test('of more ports than two, the first two are used', () => {
  const ports = (text: string) => slurmValues({ ...env, SLURM_STEP_RESV_PORTS: text })?.ports
  expect(ports('23001-23004')).toEqual([23_001, 23_002])
  expect(ports('[23001,23004-23005]')).toEqual([23_001, 23_004])
})

test.each([
  ['SLURM_STEP_NODELIST', undefined, /not set: this is a job, and not a step of it\. Start one process/],
  ['SLURM_STEP_NODELIST', 'n[1-', /'n\[1-' is not a list of hosts/],
  ['SLURM_NTASKS', undefined, /is not set/],
  ['SLURM_NTASKS', '6', /it is 6, and the step has 3 hosts.*one process on each host.*ntasks-per-node=1/],
  ['SLURM_PROCID', 'x', /'x' is not a number/],
  [
    'SLURM_STEP_RESV_PORTS',
    undefined,
    /no ports are reserved.*resv-ports=2.*administrator.*MpiParams=ports=/,
  ],
  ['SLURM_STEP_RESV_PORTS', '23001', /one port, 23001, and two are needed\. Give srun resv-ports=2/],
  ['SLURM_STEP_RESV_PORTS', '70000-70001', /not a list of ports/],
  ['XCLUSTER_SECRET', undefined, /is not set\. Set it in the job script/],
  ['XCLUSTER_SECRET', 'secret', /not 16 to 64 bytes in hexadecimal/],
])('%s=%s is refused, with what to set', (name, value, sentence) => {
  expect(() => slurmValues({ ...env, [name]: value })).toThrow(sentence)
  expect(() => slurmValues({ ...env, [name]: value })).toThrow(new RegExp(`^read ${name}: `))
})

test('a malformed secret is not repeated in the error', () => {
  expect(() => slurmValues({ ...env, XCLUSTER_SECRET: 'hunter2' })).toThrow(
    expect.objectContaining({ message: expect.not.stringContaining('hunter2') }),
  )
})
