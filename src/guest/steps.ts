import { hostsFile } from '../image/index.ts'
import { masqueradeBatch } from '../nft/index.ts'
import type { NodePlan, NodeSetup, RoutePlan } from '../plan/index.ts'
import { dnsRedirect } from './dns-redirect.ts'
import { type KernelArgs, kernelArgs } from './kernel-args.ts'
import { linkSteps } from './links.ts'
import { append, type GuestStep, write } from './step.ts'

/** What a node is told beyond its plan. */
export interface ConfigureOptions {
  /** It woke up from a template and knows nothing of itself. One that booted has set up net 0 by its MAC. */
  readonly clone: boolean
  /** Nanoseconds since 1970: a guest's hardware clock counts seconds. */
  readonly nowNs: bigint
  /** 48 random bytes: its machine-id, and what its own random numbers begin with. */
  readonly seed: Uint8Array
  /** The forwarder's port on this machine's loopback, where 192.168.0.250:53 is not the forwarder itself. */
  readonly dnsPort?: number | undefined
}

type Node = Pick<NodePlan, 'name' | 'nets' | 'setup' | 'append'>

/**
 * What makes a guest the node that the plan has, in one message. A clone ends as the node that booted: the same
 * files, sysctls, links, addresses and routes, made in the same order.
 */
export function configureSteps(node: Node, { clone, nowNs, seed, dnsPort }: ConfigureOptions): GuestStep[] {
  const words = kernelArgs(node.append)
  return [
    ...(clone ? [reseed(seed.subarray(16))] : []),
    clockStep(nowNs),
    ...(clone ? ownFiles(node.name, words, seed.subarray(0, 16)) : []),
    ...sysctls(node.setup),
    ...linkSteps(node, clone ? words : undefined),
    ...masquerade(node.setup),
    ...(dnsPort === undefined ? [] : [dnsRedirect(dnsPort)]),
    ...(clone ? [overlays] : []),
  ]
}

/** What init runs when a guest boots; in a template it leaves the way to it, if there is anything to run. */
const overlays: GuestStep = { kind: 'run', path: '/run/rc', about: 'run /etc/init.d/*.rc' }

export function clockStep(ns: bigint): GuestStep {
  return { kind: 'clock', ns, about: 'set the clock' }
}

function reseed(bytes: Uint8Array): GuestStep {
  return { kind: 'random', bytes, about: 'reseed the random numbers' }
}

/** What init writes when a guest boots. */
function ownFiles(name: string, { prefix, exports }: KernelArgs, id: Uint8Array): GuestStep[] {
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

/** They come before the links: forwarding changes routes. No newline: Linux 6.1.176 takes the 1 of it alone, and says so. */
function sysctls({ forwarding, routes }: NodeSetup): GuestStep[] {
  const ways = ['/proc/sys/net/ipv4/ip_forward', '/proc/sys/net/ipv6/conf/all/forwarding']
  return [...(forwarding ? ways.map(path => write(path, '1')) : []), ...multipathSteps(routes)]
}

/** By addresses and ports, so that one flow keeps to one path and many flows use all. */
export function multipathSteps(routes: readonly RoutePlan[]): GuestStep[] {
  if (!routes.some(({ hops }) => hops.length > 1)) return []
  return ['ipv4', 'ipv6'].map(family => write(`/proc/sys/net/${family}/fib_multipath_hash_policy`, '1'))
}

/** nft knows it as the same ruleset that its own `masquerade` makes. */
function masquerade({ masquerade: subnets }: NodeSetup): GuestStep[] {
  if (subnets.length === 0) return []
  const sources = subnets.flatMap(({ ipv4, ipv6 }) => [ipv4, ipv6])
  const bytes = masqueradeBatch({ table: 'xcluster', outDev: 'eth0', sources })
  return [{ kind: 'netfilter', bytes, about: `masquerade ${sources.join(', ')}` }]
}
