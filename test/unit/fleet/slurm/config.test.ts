import { expect, test } from 'vitest'
import { checkSettings, slurmSettings } from '../../../../src/fleet/slurm/config.ts'

/** Lines of `scontrol show config` of Slurm 22.05.8. */
const config = (
  mpiParams: string,
  proctrack = 'proctrack/cgroup',
) => `Configuration data as of 2024-05-01T12:00:00
MpiDefault              = none
MpiParams               = ${mpiParams}
ProctrackType           = ${proctrack}
SLURM_VERSION           = 22.05.8
`

test('ports for steps are found among the parameters of MPI', () => {
  const ports = (params: string) => slurmSettings(config(params)).ports
  expect(ports('ports=23000-23099')).toBe('23000-23099')
  expect(ports('disable_slurm_hydra_bootstrap,ports=1000-1100')).toBe('1000-1100')
  expect(ports('(null)')).toBeUndefined()
})

test('a Slurm that reserves ports and tracks by cgroup is accepted in silence', () => {
  expect(checkSettings(slurmSettings(config('ports=23000-23099')))).toEqual([])
})

test('a Slurm that loses processes is accepted with a notice to its administrator', () => {
  const [notice, ...more] = checkSettings(slurmSettings(config('ports=23000-23099', 'proctrack/pgid')))
  expect(notice).toMatch(/by pgid, which loses .*ProctrackType=proctrack\/cgroup/)
  expect(more).toEqual([])
})

test('a Slurm without ports is refused with the line of slurm.conf that is missing', () => {
  expect(() => checkSettings(slurmSettings(config('(null)')))).toThrow(
    /^use Slurm 22\.05\.8: it reserves no ports for steps.*MpiParams=ports=/,
  )
})
