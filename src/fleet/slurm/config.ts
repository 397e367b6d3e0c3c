import { FleetError } from '../errors.ts'

/** The settings that a lab depends on, from `scontrol show config`. */
export interface SlurmSettings {
  /** `22.05.8` */
  readonly version: string
  /** Where the ports of steps come from: `23000-23999`. Undefined: none are reserved. */
  readonly ports: string | undefined
  /** How the processes of a step are found: `cgroup`, `linuxproc`, `pgid`. */
  readonly tracking: string
}

export function slurmSettings(config: string): SlurmSettings {
  const value = (name: string) => new RegExp(`^${name}\\s*= (.*)$`, 'm').exec(config)?.[1]?.trim()
  return {
    version: value('SLURM_VERSION') ?? 'of an unknown version',
    ports: /(?:^|,)ports=(\d+-\d+)/.exec(value('MpiParams') ?? '')?.[1],
    tracking: (value('ProctrackType') ?? 'unknown').replace(/^proctrack\//, ''),
  }
}

/**
 * What weakens a lab and does not stop it, in sentences for the administrator. Throws SLURM_SETTINGS (prerequisite) for
 * what a lab cannot do without.
 */
export function checkSettings({ version, ports, tracking }: SlurmSettings): string[] {
  if (ports === undefined)
    throw new FleetError({
      code: 'SLURM_SETTINGS',
      kind: 'prerequisite',
      op: 'use',
      target: `Slurm ${version}`,
      reason: 'it reserves no ports for steps, and the hosts of a lab need two',
      remedy: `Ask its administrator to set ${setPorts} in slurm.conf and to restart slurmctld`,
    })
  if (tracking === 'cgroup') return []
  return [
    `Slurm finds the processes of a job by ${tracking}, which loses those that leave their session. ` +
      'Its administrator can set ProctrackType=proctrack/cgroup in slurm.conf.',
  ]
}

const setPorts = 'MpiParams=ports=23000-23999 (any free range)'
