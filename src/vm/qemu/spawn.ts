import { closeSync, openSync } from 'node:fs'
import { type Port, Scope } from '../../base/index.ts'
import {
  adoptStream,
  closeFd,
  type Launched,
  type LaunchSpec,
  launch,
  type Memfd,
  socketPair,
} from '../../sys/index.ts'
import { kvmIdentity } from '../accel/kvm-identity.ts'
import { openBootDisk } from '../disk/open.ts'
import { tellLaunched, trace } from '../trace.ts'
import type { VmSpec } from '../types.ts'
import { openBootFiles, openDisks, openPreload } from './boot-files.ts'
import { type Role, wires } from './child-fds.ts'
import { isPrivileged, qemuArgs } from './qemu-args.ts'

/** How a VM starts, and the files of its RAM and its devices' state where those are not QEMU's own. */
export interface Origin {
  readonly role: Role
  readonly ram?: Memfd
  /** The state that it resumes with. */
  readonly state?: Memfd
  /** Where it is to write its state. */
  readonly saved?: Memfd
  /** What its template had written to its disk. */
  readonly kept?: { readonly fd: number } | undefined
  /** Where it writes to its disk. Absent: a new file. */
  readonly layer?: { readonly fd: number } | undefined
}

/** This process's ends of a QEMU's sockets. */
export interface Ports {
  readonly monitor: Port
  readonly console: Port
  readonly agent: Port
  readonly stream: Port
}

/** A started QEMU, and this process's ends of its sockets, which the caller closes. */
export interface Spawned extends Ports {
  readonly launched: Launched
  /** That by which others are forked from it. */
  readonly control?: Port
}

/**
 * Of each second, the milliseconds that this process spends on what a guest sends on one port. A console that prints
 * without end would else take all of a processor.
 */
const guestShare = { share: 50 }

/** Starts QEMU with the descriptors of its spec alone. After a failure it leaves nothing open. */
export async function spawnQemu(spec: VmSpec, origin: Origin): Promise<Spawned> {
  const { role, ram, state, saved } = origin
  const args = qemuArgs(spec, role)
  await using opened = new Scope() // QEMU has copies: this process closes its own in any case
  await using ours = new Scope()
  const boot = state ? undefined : await openBootFiles(spec, opened)
  const disks = [...(await openDisks(spec, opened)), ...(await openBootDisk(spec, origin, opened))]
  const ends = wiresTo(opened, ours)
  const fds = [
    ...ends.fds,
    ...(boot?.kernel ?? []),
    ...(ram ? [ram.fd] : []),
    ...(state ? [reopened(state, 'r', opened)] : []),
    ...(saved ? [reopened(saved, 'w', opened)] : []),
    ...spec.nics.flatMap(({ fds }) => fds),
    ...(boot?.initramfs ?? []),
    ...disks,
  ]
  const control = spec.forkable ? wire(opened, ours) : undefined
  const preloaded = withPreload(fds, await openPreload(spec, opened), control?.theirs)
  const command: LaunchSpec = {
    file: spec.qemu,
    args,
    ...preloaded,
    ...(spec.identity && !isPrivileged(spec) && { identity: await kvmIdentity(spec.identity, spec.accel) }),
    ...(spec.namespace && { namespace: spec.namespace }),
  }
  const launched = launch(command)
  if (trace.on) tellLaunched(spec.name, command, launched)
  ours.move()
  return { launched, ...ends.ports, ...(control && { control: control.port }) }
}

/** Four sockets for a QEMU, and this process's ends, which are moved away with `ours`. */
export function wiresTo(
  opened: Scope,
  ours: Scope,
): { readonly fds: readonly number[]; readonly ports: Ports } {
  const monitor = wire(opened, ours)
  const [console, agent, stream] = [0, 1, 2].map(() => wire(opened, ours, guestShare)) as [Wire, Wire, Wire]
  const [ports, fds] = [{} as Record<keyof Ports, Port>, [] as number[]]
  for (const [name, { port, theirs }] of Object.entries({ monitor, console, agent, stream })) {
    ports[name as keyof Ports] = port
    fds.push(theirs)
  }
  return { fds, ports }
}

interface Wire {
  readonly port: Port
  readonly theirs: number
}

export function wire(opened: Scope, ours: Scope, options = {}): Wire {
  const [near, theirs] = socketPair()
  opened.defer(() => closeFd(theirs))
  return { port: ours.add(adoptStream(near, options)), theirs }
}

/** The descriptors, and behind them the one that ld.so(8) loads, and the control socket of a zygote. */
function withPreload(
  fds: readonly number[],
  preload: number | undefined,
  control: number | undefined,
): Pick<LaunchSpec, 'fds' | 'env'> {
  if (preload === undefined) return { fds }
  const place = wires.monitor + fds.length
  const env = { LD_PRELOAD: `/proc/self/fd/${place}` }
  if (control === undefined) return { fds: [...fds, preload], env }
  return { fds: [...fds, preload, control], env: { ...env, XCLUSTER_ZYGOTE: `${place + 1}` } }
}

/** Opened again: a duplicated descriptor would share its position with all other clones. */
function reopened(state: Memfd, mode: 'r' | 'w', opened: Scope): number {
  const fd = openSync(`/proc/self/fd/${state.fd}`, mode)
  opened.defer(() => closeSync(fd))
  return fd
}
