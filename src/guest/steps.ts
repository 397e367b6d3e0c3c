import { hostsFile } from '../image/index.ts'
import { masqueradeBatch } from '../nft/index.ts'
import type { NodePlan, NodeSetup, RoutePlan } from '../plan/index.ts'
import { dnsRedirect } from './dns-redirect.ts'
import { type KernelArgs, kernelArgs } from './kernel-args.ts'
import { linkSteps, routingSteps } from './links.ts'
import { append, type GuestStep, write } from './step.ts'

/** What a node's configuration depends on beyond its plan. */
export interface ConfigureOptions {
  /** It is a clone and has no identity yet. A guest that booted has set up net 0 from its MAC. */
  readonly clone: boolean
  /** Nanoseconds since 1970. A guest's hardware clock only has seconds. */
  readonly nowNs: bigint
  /** 48 random bytes: 16 for its machine-id, 32 for the seed of its random number generator. */
  readonly seed: Uint8Array
  /** The forwarder's port on this machine's loopback, when guests cannot reach it at 192.168.0.250:53. */
  readonly dnsPort?: number | undefined
  /** The cluster's domain, in which the guest's resolver looks for short names; empty for none. */
  readonly domain?: string | undefined
  /** It is a real node, whose /etc/init.d/*.rc are to run: not a template. */
  readonly scripts: boolean
  /** Its cloud-init has given it its names, addresses and DNS: this adds the rest. */
  readonly seeded?: boolean
}

type Node = Pick<NodePlan, 'name' | 'nets' | 'setup' | 'append'>

/**
 * The steps that make a guest the node of its plan, for one message. A clone ends up the same as a node that booted:
 * with the same files, sysctls, links, addresses and routes, made in the same order.
 */
export function configureSteps(node: Node, options: ConfigureOptions): GuestStep[] {
  const { clone, nowNs, seed, dnsPort, domain = '', scripts, seeded = false } = options
  const args = kernelArgs(node.append)
  return [
    ...(clone ? [reseed(seed.subarray(16))] : []),
    clockStep(nowNs),
    ...(clone ? identityFiles(node.name, args, seed.subarray(0, 16)) : []),
    ...(domain === '' || seeded ? [] : [append('/etc/resolv.conf', `search ${domain}\n`)]),
    ...sysctls(node.setup),
    ...(seeded ? routingSteps(node) : linkSteps(node, clone ? args : undefined)),
    ...masquerade(node.setup),
    ...(dnsPort === undefined ? [] : [dnsRedirect(dnsPort)]),
    ...(scripts ? [seeded ? seededOverlays : overlays] : []),
  ]
}

/** Runs the overlays' scripts, after everything else. A guest has /run/rc if there are any. */
const overlays = { kind: 'run', path: '/run/rc', about: 'run /etc/init.d/*.rc' } as const

/** The same in a guest with cloud-init, whose seed has made that file. */
const seededOverlays: GuestStep = { ...overlays, path: '/etc/xcluster/rc' }

export function clockStep(ns: bigint): GuestStep {
  return { kind: 'clock', ns, about: 'set the clock' }
}

export function reseed(bytes: Uint8Array): GuestStep {
  return { kind: 'random', bytes, about: 'reseed the random number generator' }
}

/** The files that init writes when a guest boots. */
function identityFiles(name: string, { prefix, exports }: KernelArgs, id: Uint8Array): GuestStep[] {
  const lines = exports.map(([key, value]) => `export ${key}='${value}'\n`)
  return [
    write('/proc/sys/kernel/hostname', `${name}\n`),
    write('/etc/hostname', `${name}\n`),
    write('/etc/machine-id', `${machineId(id)}\n`),
    ...(prefix === 'fd00:' ? [] : [write('/etc/hosts', hostsFile(prefix))]),
    ...(lines.length > 0 ? [append('/etc/profile', lines.join(''))] : []),
  ]
}

/** A random UUID without its dashes (machine-id(5)). */
function machineId(random: Uint8Array): string {
  const id = Uint8Array.from(random)
  id[6] = (id[6]! & 0x0f) | 0x40
  id[8] = (id[8]! & 0x3f) | 0x80
  return Buffer.from(id).toString('hex')
}

export const forwardingPaths = ['/proc/sys/net/ipv4/ip_forward', '/proc/sys/net/ipv6/conf/all/forwarding']

/**
 * They come before the links, because forwarding changes routes. They have no newline: of "1\n" Linux 6.1.176 takes
 * only the first byte, and write(2) returns 1.
 */
function sysctls({ forwarding, routes }: NodeSetup): GuestStep[] {
  return [...(forwarding ? forwardingPaths.map(path => write(path, '1')) : []), ...multipathSteps(routes)]
}

/** Hashes addresses and ports: one flow keeps to one path, and many flows use all of them. */
export function multipathSteps(routes: readonly RoutePlan[]): GuestStep[] {
  if (!routes.some(({ hops }) => hops.length > 1)) return []
  return ['ipv4', 'ipv6'].map(family => write(`/proc/sys/net/${family}/fib_multipath_hash_policy`, '1'))
}

/** nft(8) lists the same ruleset as for its own `masquerade` statement. */
function masquerade({ masquerade: subnets }: NodeSetup): GuestStep[] {
  return subnets.length === 0 ? [] : [masqueradeStep(subnets)]
}

export function masqueradeStep(
  subnets: NodeSetup['masquerade'],
  how: { readonly replace?: boolean } = {},
): GuestStep {
  const sources = subnets.flatMap(({ ipv4, ipv6 }) => [ipv4, ipv6])
  const bytes = masqueradeBatch({ table: 'xcluster', outDev: 'eth0', sources, ...how })
  return { kind: 'netfilter', bytes, about: `masquerade ${sources.join(', ') || 'nothing'}` }
}
