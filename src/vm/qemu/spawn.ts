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

/** A started QEMU, and this process's ends of its sockets, which the caller closes. */
export interface Spawned {
  readonly launched: Launched
  readonly monitor: Port
  readonly console: Port
  readonly agent: Port
  readonly stream: Port
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
  const wire = (options = {}): { port: Port; theirs: number } => {
    const [near, theirs] = socketPair()
    opened.defer(() => closeFd(theirs))
    return { port: ours.add(adoptStream(near, options)), theirs }
  }
  const ends = [wire(), wire(guestShare), wire(guestShare), wire(guestShare)] as const
  const fds = [
    ...ends.map(({ theirs }) => theirs),
    ...(boot?.kernel ?? []),
    ...(ram ? [ram.fd] : []),
    ...(state ? [reopened(state, 'r', opened)] : []),
    ...(saved ? [reopened(saved, 'w', opened)] : []),
    ...spec.nics.flatMap(({ fds }) => fds),
    ...(boot?.initramfs ?? []),
    ...disks,
  ]
  const command: LaunchSpec = {
    file: spec.qemu,
    args,
    ...withPreload(fds, await openPreload(spec, opened)),
    ...(spec.identity && !isPrivileged(spec) && { identity: await kvmIdentity(spec.identity, spec.accel) }),
    ...(spec.namespace && { namespace: spec.namespace }),
  }
  const launched = launch(command)
  if (trace.on) tellLaunched(spec.name, command, launched)
  ours.move()
  const [monitor, console, agent, stream] = ends.map(({ port }) => port) as [Port, Port, Port, Port]
  return { launched, monitor, console, agent, stream }
}

/** The descriptors, and behind them the one that ld.so(8) loads. */
function withPreload(fds: readonly number[], preload: number | undefined): Pick<LaunchSpec, 'fds' | 'env'> {
  if (preload === undefined) return { fds }
  return { fds: [...fds, preload], env: { LD_PRELOAD: `/proc/self/fd/${wires.monitor + fds.length}` } }
}

/** Opened again: a duplicated descriptor would share its position with all other clones. */
function reopened(state: Memfd, mode: 'r' | 'w', opened: Scope): number {
  const fd = openSync(`/proc/self/fd/${state.fd}`, mode)
  opened.defer(() => closeSync(fd))
  return fd
}
