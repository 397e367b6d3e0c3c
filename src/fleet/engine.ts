import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'
import { durationText, isAddress, isSystemError, reasonOf, systemClock, until } from '../base/index.ts'
import { FleetError } from './errors.ts'

/** All that a host of a lab needs to know from what started it: an engine such as Slurm, or a person. */
export interface EngineValues {
  /** The same on all hosts of the lab, and another for each run. */
  readonly job: string
  /** This host: 0 leads. */
  readonly rank: number
  /** How many hosts there are. */
  readonly count: number
  /** The address (IPv4 or IPv6) or name of each rank's host. */
  readonly peers: readonly string[]
  /** The TCP port of control, and the UDP port of VXLAN, the same on all hosts. */
  readonly ports: readonly number[]
  /** What the hosts of this job alone know, at least 16 bytes. */
  readonly secret: Buffer
  /** This process ends when the one that started it does: an engine's step that was killed. */
  readonly endsWithParent?: boolean
  /** The engine ends all hosts when one ends, so the leader ends the lab when it has lost one. */
  readonly endsTogether?: boolean
}

/** Reads what one engine says in the environment. Undefined: this process is none of its tasks. */
export type EngineReader = (
  env: Readonly<Record<string, string | undefined>>,
) => Promise<Partial<EngineValues> | undefined> | Partial<EngineValues> | undefined

/** The five values as options, which win over the environment. */
export interface EngineOptions {
  readonly job?: string
  readonly rank?: string
  readonly count?: string
  /** `10.0.0.1,10.0.0.2`, by rank. */
  readonly peers?: string
  /** `7766,4789` */
  readonly ports?: string
  readonly secretFile?: string
}

/** Bytes. A shorter secret could be guessed. */
const shortestSecret = 16
const longestSecret = 65_536
/** How long a pipe is waited for. */
const writtenWithinMs = 5000

/** The usual ports: of control, and of VXLAN (RFC 7348 §5). */
const usualPorts = [7766, 4789] as const

/**
 * The values from the first engine that started this process, and from options. Throws ENGINE_VALUES (usage) for one that
 * is missing or malformed, or of which hosts would have two.
 */
export async function engineFrom(
  env: Readonly<Record<string, string | undefined>>,
  options: EngineOptions = {},
  readers: readonly EngineReader[] = [],
): Promise<EngineValues> {
  const own = await given(options)
  return checked({ ...(await fromEngine(env, readers, isEnough(own))), ...own })
}

/** Who says all that has no default needs no engine: a shell in a job of Slurm is none of its tasks. */
const isEnough = ({ rank, peers, secret }: Partial<EngineValues>) =>
  rank !== undefined && peers !== undefined && secret !== undefined

async function fromEngine(
  env: Readonly<Record<string, string | undefined>>,
  readers: readonly EngineReader[],
  isSpare: boolean,
): Promise<Partial<EngineValues>> {
  for (const read of readers) {
    try {
      const values = await read(env)
      if (values) return values
    } catch (failure) {
      if (!isSpare) throw failure
    }
  }
  return {}
}

async function given(options: EngineOptions): Promise<Partial<EngineValues>> {
  const { job, rank, count, peers, ports, secretFile } = options
  return {
    ...(job !== undefined && { job }),
    ...(rank !== undefined && { rank: numberOf('rank', rank) }),
    ...(count !== undefined && { count: numberOf('count', count) }),
    ...(peers !== undefined && { peers: peers.split(',') }),
    ...(ports !== undefined && { ports: ports.split(',').map(port => numberOf('ports', port)) }),
    ...(secretFile !== undefined && { secret: await secretIn(secretFile) }),
  }
}

function checked({ job = 'lab', ports = usualPorts, ...rest }: Partial<EngineValues>): EngineValues {
  const { rank, count, peers, secret, ...ends } = rest
  if (rank === undefined) throw bad('rank', 'it is not given', 'Number the hosts from 0')
  if (peers === undefined) throw bad('peers', 'they are not given', 'Give the address of each host, by rank')
  const all = count ?? peers.length
  if (all < 1 || peers.length !== all) throw bad('peers', `there are ${peers.length} for ${all} hosts`)
  if (rank >= all) throw bad('rank', `${rank} is not below the number of hosts, ${all}`)
  const twice = peers.find((peer, at) => peers.indexOf(peer) !== at)
  if (twice !== undefined) throw bad('peers', `${twice} is there twice: each host has one process`)
  const strange = peers.find(peer => !isAddress(peer) && !/^[\w.-]{1,253}$/.test(peer))
  if (strange !== undefined) throw bad('peers', `'${strange}' is neither an address nor a name`)
  if (ports.length !== 2 || !ports.every(isPort))
    throw bad('ports', 'they are not two numbers from 1 to 65535', 'Give that of control and that of VXLAN')
  if (secret === undefined)
    throw bad('secret', 'it is not given', 'Give all hosts a file with the same random bytes')
  if (secret.length < shortestSecret)
    throw bad('secret', `it has ${secret.length} bytes`, `Use at least ${shortestSecret} random bytes`)
  return { job, rank, count: all, peers, ports, secret, ...ends }
}

const isPort = (port: number) => port >= 1 && port <= 65_535

function numberOf(what: string, text: string): number {
  if (/^\d{1,6}$/.test(text)) return Number(text)
  throw bad(what, `'${text}' is not a number`)
}

/** Of a file, or of what a pipe has until its end. */
async function secretIn(path: string): Promise<Buffer> {
  let fd: number | undefined
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NOCTTY | constants.O_NONBLOCK)
    const found = fstatSync(fd)
    if (!found.isFile() && !found.isFIFO()) throw bad(path, 'it is neither a file nor a pipe')
    const bytes = Buffer.alloc(longestSecret + 1)
    const length = await readAll(fd, bytes, found.isFIFO())
    if (length === undefined)
      throw bad(path, `its writer did not come to an end within ${durationText(writtenWithinMs)}`, writeIt)
    if (length > longestSecret)
      throw bad(path, `it has more than ${longestSecret} bytes`, 'Give a file with some random bytes')
    return bytes.subarray(0, length)
  } catch (failure) {
    throw failure instanceof FleetError ? failure : bad(path, reasonOf(failure))
  } finally {
    if (fd !== undefined) closeSync(fd)
  }
}

const writeIt = 'Write the same random bytes into it on each host, or give a file'

/** How many bytes were read, up to the end or the size of `bytes`. Undefined: a pipe had no end in time. */
async function readAll(fd: number, bytes: Buffer, isPipe: boolean): Promise<number | undefined> {
  let length = 0
  const isDone = () => {
    for (;;) {
      const read = readNow(fd, bytes.subarray(length))
      if (read === undefined) return false // its writer is there
      length += read
      if (length === bytes.length) return true
      // A pipe that has no writer yet is at its end, too.
      if (read === 0) return !isPipe || length > 0
    }
  }
  const timing = { everyMs: 20, withinMs: writtenWithinMs, why: 'writer' } as const
  return (await until(systemClock, isDone, timing)) ? length : undefined
}

/** Undefined: there is nothing to read now. */
function readNow(fd: number, into: Buffer): number | undefined {
  try {
    return readSync(fd, into, 0, into.length, null)
  } catch (failure) {
    if (isSystemError(failure, 'EAGAIN')) return undefined
    throw failure
  }
}

function bad(target: string, reason: string, remedy?: string): FleetError {
  const about = { op: 'read', target, reason, ...(remedy !== undefined && { remedy }) }
  return new FleetError({ code: 'ENGINE_VALUES', kind: 'usage', ...about })
}
