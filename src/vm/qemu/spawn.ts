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

/** How a VM comes to life, and the file its RAM is in where that is not QEMU's own. */
export interface Origin {
  readonly role: Role
  readonly ram?: Memfd
}

/** A QEMU that has just been started, and our ends of its wires. Whoever gets it closes them. */
export interface Spawned {
  readonly launched: Launched
  readonly monitor: Port
  readonly console: Port
  readonly agent: Port
  readonly stream: Port
}

/** Starts QEMU with nothing of ours but what its spec names. Leaves nothing open when it cannot. */
export async function spawnQemu(spec: VmSpec, { role, ram }: Origin): Promise<Spawned> {
  const args = qemuArgs(spec, role)
  await using opened = new Scope() // what QEMU gets: ours to close in any case
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
