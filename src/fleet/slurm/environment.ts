import { type ErrorDetails, printable } from '../../base/index.ts'
import type { EngineValues } from '../engine.ts'
import { FleetError } from '../errors.ts'
import { hostlist, numbers } from './hostlist.ts'

type Environment = Readonly<Record<string, string | undefined>>

/** The variable that all tasks of a job get with the same random bytes, in hexadecimal. */
export const secretVariable = 'XCLUSTER_SECRET'

/**
 * What Slurm says to a task of a step (srun(1), OUTPUT ENVIRONMENT VARIABLES). Undefined: this process belongs to no
 * job. Throws SLURM_ENVIRONMENT (usage, or prerequisite for what the administrator sets) when a value is missing or
 * malformed.
 */
export function slurmValues(env: Environment): EngineValues | undefined {
  const job = env.SLURM_JOB_ID
  if (job === undefined) return undefined
  const peers = peersOf(env)
  const count = numberIn(env, 'SLURM_NTASKS')
  if (count !== peers.length) {
    const reason = `it is ${count}, and the step has ${peers.length} hosts (${env.SLURM_STEP_NODELIST})`
    throw bad('SLURM_NTASKS', reason, { remedy: oneEach })
  }
  const rank = numberIn(env, 'SLURM_PROCID')
  const step = env.SLURM_STEP_ID ?? '0'
  return {
    job: `${job}.${step}`,
    rank,
    count,
    peers,
    ports: portsOf(env),
    secret: secretOf(env),
    endsWithParent: true,
    endsTogether: true,
  }
}

/** In a batch script or after salloc, there is a job and no step yet. */
function peersOf(env: Environment): string[] {
  const name = 'SLURM_STEP_NODELIST'
  const text = env[name]
  if (text === undefined)
    throw bad(name, 'it is not set: this is a job, and not a step of it', { remedy: start })
  const peers = hostlist(text)
  if (peers) return peers
  throw bad(name, `'${printable(text, 60)}' is not a list of hosts, such as n[1-3]`)
}

const start = 'Start one process on each host with srun, or give its number, all peers and a secret yourself'
const oneEach = 'Start one process on each host with srun: ntasks-per-node=1'

function numberIn(env: Environment, name: string): number {
  const text = env[name]
  if (text === undefined) throw bad(name, 'it is not set', { remedy: start })
  if (/^\d{1,6}$/.test(text)) return Number(text)
  throw bad(name, `'${printable(text, 60)}' is not a number`)
}

/** Slurm reserves the same ports on all hosts of a step (src/slurmctld/port_mgr.c). */
function portsOf(env: Environment): number[] {
  const name = 'SLURM_STEP_RESV_PORTS'
  const text = env[name]
  if (text === undefined)
    throw bad(name, 'no ports are reserved for this step', { remedy: reserve, kind: 'prerequisite' })
  const ports = numbers(text.replace(/^\[(.*)\]$/, '$1'))?.map(Number)
  if (!ports?.every(port => port > 0 && port < 65_536))
    throw bad(name, `'${printable(text, 60)}' is not a list of ports, such as 23000-23001`)
  if (ports.length >= 2) return ports.slice(0, 2)
  throw bad(name, `it has one port, ${ports[0]}, and two are needed`, { remedy: 'Give srun resv-ports=2' })
}

const reserve =
  'Give srun resv-ports=2. If it has that, ask the administrator of Slurm to set MpiParams=ports=23000-23999 ' +
  '(any free range) in slurm.conf'

function secretOf(env: Environment): Buffer {
  const text = env[secretVariable]
  const remedy = 'Set it in the job script, before srun: 64 random hexadecimal digits'
  if (text === undefined) throw bad(secretVariable, 'it is not set', { remedy })
  if (/^(?:[\da-f]{2}){16,64}$/i.test(text)) return Buffer.from(text, 'hex')
  throw bad(secretVariable, 'it is not 16 to 64 bytes in hexadecimal', { remedy })
}

function bad(target: string, reason: string, more: Partial<ErrorDetails> = {}): FleetError {
  return new FleetError({ code: 'SLURM_ENVIRONMENT', kind: 'usage', op: 'read', target, reason, ...more })
}
