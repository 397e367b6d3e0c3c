import { lookup } from 'node:dns/promises'
import { availableParallelism } from 'node:os'
import {
  addressBytes,
  addressText,
  durationText,
  isAddress,
  messageOf,
  reasonOf,
  version,
} from '../base/index.ts'
import { freeMemory, type ProcessEnvironment } from '../host/index.ts'
import { largestRelayed, whyNoSeal } from '../net/index.ts'
import type { Settings } from '../plan/index.ts'
import { openRoute } from '../rtnl/index.ts'
import { findQemu } from '../vm/index.ts'
import { cpuHere } from './cpus.ts'
import type { EngineValues } from './engine.ts'
import { FleetError } from './errors.ts'
import { labDigest } from './lab.ts'
import type { Hello } from './link.ts'

/** How errors name a host. */
export function hostName({ peers }: Pick<EngineValues, 'peers'>, rank: number): string {
  return `host ${rank} (${peers[rank] ?? 'unknown'})`
}

/** The address of each host, by number, all of one family. Throws HOST_ADDRESS. */
export async function addressesOf(values: EngineValues): Promise<string[]> {
  const own = values.peers[values.rank]!
  const first = isAddress(own) ? own : await addressOf(values, values.rank, 0)
  const family = first.includes(':') ? 6 : 4
  return await Promise.all(
    values.peers.map((peer, rank) => {
      if (!isAddress(peer)) return addressOf(values, rank, family)
      if (peer.includes(':') === (family === 6)) return peer
      throw noAddress(hostName(values, rank), `it is not IPv${family}, as ${first} of this host is`)
    }),
  )
}

async function addressOf(values: EngineValues, rank: number, family: 0 | 4 | 6): Promise<string> {
  try {
    return (await lookup(values.peers[rank]!, { family })).address
  } catch (failure) {
    throw noAddress(hostName(values, rank), messageOf(failure))
  }
}

/** What this host has and what its packets to the others may have. */
export async function factsOf(
  settings: Settings,
  values: EngineValues,
  on: {
    readonly addresses: readonly string[]
    readonly environment: ProcessEnvironment
    /** If the lab is to be encrypted. */
    readonly publicKey: string | undefined
  },
): Promise<Hello> {
  const { searchPath, places } = on.environment
  const { publicKey } = on
  const qemu = await findQemu({ given: settings.kvm || undefined, searchPath, cacheDir: places.cache })
  return {
    type: 'hello',
    rank: values.rank,
    version,
    qemu: qemu.version,
    lab: labDigest(settings),
    hosts: on.addresses.map(address => addressText(addressBytes(address))),
    port: values.ports[1]!,
    clock: Date.now(),
    freeMiB: freeMemory().freeMiB,
    processors: availableParallelism(),
    underlayMtu: await underlayMtu(values, on.addresses),
    cpu: cpuHere(settings),
    ...(publicKey !== undefined && { publicKey, lacks: isRootless() ? rootless : await whyNoSeal() }),
  }
}

/** Users who are not root get namespaces of their own, and carry what is between hosts themselves. */
const isRootless = () => process.geteuid!() !== 0

/** The least MTU of the interfaces that lead to the other hosts, or what this process can carry. `ip route get <address>` */
async function underlayMtu(values: EngineValues, addresses: readonly string[]): Promise<number> {
  await using route = openRoute()
  const mtus = addresses.map(async (address, rank) => {
    if (rank === values.rank) return Number.POSITIVE_INFINITY
    try {
      const { dev } = await route.routes.get(address)
      return (await route.links.get(dev!)).mtu
    } catch (failure) {
      throw noAddress(hostName(values, rank), `this host has no way there: ${reasonOf(failure)}`)
    }
  })
  const carried = isRootless() ? largestRelayed(addresses[values.rank]!) : Number.POSITIVE_INFINITY
  const least = Math.min(carried, ...(await Promise.all(mtus)))
  return Number.isFinite(least) ? least : 65_535
}

/** Milliseconds. Certificates, logs and captures of hosts whose clocks differ more do not fit together. */
const clocksMayDiffer = 5000

/** Throws HOST_DIFFERS for a host that is not like the leader's. */
export function checkHello(leader: Hello, other: Hello, name: string): void {
  const differences = [
    ['xcluster', other.version, leader.version, 'Install the same version on all hosts'],
    ['QEMU', other.qemu, leader.qemu, 'Install the same version on all hosts'],
    [
      'lab',
      other.lab.slice(0, 8),
      leader.lab.slice(0, 8),
      'Give all hosts the same topology file and settings',
    ],
    ['list of hosts', other.hosts.join(), leader.hosts.join(), 'Give all hosts the same, in the same order'],
    ['port of VXLAN', `${other.port}`, `${leader.port}`, 'Give all hosts the same ports'],
    ['encryption of nets', sealed(other), sealed(leader), 'Have it on all hosts, or on none'],
  ] as const
  for (const [what, theirs, ours, remedy] of differences)
    if (theirs !== ours) throw differs(name, `its ${what} is ${theirs}, and that of host 0 ${ours}`, remedy)
  if (other.lacks !== undefined) throw lacking(name, other.lacks)
  const apart = Math.abs(Date.now() - other.clock)
  if (apart > clocksMayDiffer)
    throw differs(name, `its clock differs by ${durationText(apart)}`, 'Set the clocks of all hosts (NTP)')
}

const rootless = 'its user is not root, and WireGuard is for root alone yet'
const sealed = ({ publicKey }: Hello) => (publicKey === undefined ? 'off' : 'on')

/** A host that cannot encrypt nets. */
export function lacking(target: string, reason: string): FleetError {
  const load = 'Load the module (modprobe wireguard) or use a kernel with it'
  const remedy = `${reason === rootless ? 'Run it as root' : load}, or do not encrypt the lab`
  return new FleetError({
    code: 'HOST_LACKS',
    kind: 'prerequisite',
    op: 'encrypt nets of',
    target,
    reason,
    remedy,
  })
}

function differs(target: string, reason: string, remedy: string): FleetError {
  return new FleetError({
    code: 'HOST_DIFFERS',
    kind: 'prerequisite',
    op: 'take in',
    target,
    reason,
    remedy,
  })
}

function noAddress(target: string, reason: string): FleetError {
  return new FleetError({ code: 'HOST_ADDRESS', kind: 'prerequisite', op: 'find', target, reason })
}
