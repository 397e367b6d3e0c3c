import { closeSync } from 'node:fs'
import { type Port, Scope } from '../../base/index.ts'
import {
  adoptStream,
  type Launched,
  type LaunchSpec,
  launch,
  type Memfd,
  socketPair,
} from '../../sys/index.ts'
import { kvmIdentity } from '../accel/kvm-identity.ts'
import { tellLaunched, trace } from '../trace.ts'
import type { VmSpec } from '../types.ts'
import { openBootFiles } from './boot-files.ts'
import type { Role } from './child-fds.ts'
import { isPrivileged, qemuArgs } from './qemu-args.ts'

/** How a VM starts, and the file of its RAM where that is not QEMU's own. */
export interface Origin {
  readonly role: Role
  readonly ram?: Memfd
}

/** A started QEMU, and this process's ends of its sockets, which the caller closes. */
export interface Spawned {
  readonly launched: Launched
  readonly monitor: Port
  readonly console: Port
  readonly agent: Port
  readonly stream: Port
}

/** Starts QEMU with the descriptors of its spec alone. After a failure it leaves nothing open. */
export async function spawnQemu(spec: VmSpec, { role, ram }: Origin): Promise<Spawned> {
  const args = qemuArgs(spec, role)
  await using opened = new Scope() // QEMU has copies: this process closes its own in any case
  await using ours = new Scope()
  const boots = role === 'clone' ? [] : await openBootFiles(spec, opened)
  const wire = (): { port: Port; theirs: number } => {
    const [near, theirs] = socketPair()
    opened.defer(() => closeSync(theirs))
    return { port: ours.add(adoptStream(near)), theirs }
  }
  const wires = [wire(), wire(), wire(), wire()] as const
  const command: LaunchSpec = {
    file: spec.qemu,
    args,
    fds: [
      ...wires.map(({ theirs }) => theirs),
      ...boots,
      ...(ram ? [ram.fd] : []),
      ...spec.nics.flatMap(({ fds }) => fds),
    ],
    ...(spec.identity && !isPrivileged(spec) && { identity: await kvmIdentity(spec.identity, spec.accel) }),
    ...(spec.namespace && { namespace: spec.namespace }),
  }
  const launched = launch(command)
  if (trace.on) tellLaunched(spec.name, command, launched)
  ours.move()
  const [monitor, console, agent, stream] = wires.map(({ port }) => port) as [Port, Port, Port, Port]
  return { launched, monitor, console, agent, stream }
}
