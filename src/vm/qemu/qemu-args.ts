import type { Nic } from '../../base/index.ts'
import { VmError } from '../errors.ts'
import type { VmSpec } from '../types.ts'
import { type ChildFds, childFds, type Role } from './child-fds.ts'
import { kernelLine } from './kernel-line.ts'

/** The guest agent's virtio-serial port: its device id in QEMU, its name in the guest. */
export const agentPort = { id: 'agent', name: 'org.qemu.guest_agent.0' } as const
/** A second port: `Machine.stream`. There from the start because a clone's devices are its template's. */
const streamPort = { id: 'stream', name: 'org.xcluster.stream.0' } as const

const sandbox = 'on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny'
/** One that keeps its privileges may use them, and start the programs that a `-netdev` of a user's names. */
const wideSandbox = 'on,obsolete=deny,resourcecontrol=deny'

/** What of a {@link VmSpec} is on QEMU's command line. */
export type Described = Omit<VmSpec, 'qemu' | 'kernel' | 'initramfs' | 'consoleLog'>

/**
 * The arguments of `qemu-system-x86_64` for a VM. Pure: what it opens, it opens by the number a file descriptor
 * will have in the child ({@link childFds}). Kernel and initramfs too: the directories they lie in may be closed
 * to the user QEMU runs as. A clone has neither: its kernel runs already.
 */
export function qemuArgs(spec: Described, role: Role = spec.template ? 'clone' : 'boot'): string[] {
  const fds = childFds[role]
  return [
    ...['-name', quoted(spec.name)],
    ...['-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot'],
    ...['-sandbox', isPrivileged(spec) ? wideSandbox : sandbox],
    ...['-machine', machine(spec, fds), '-accel', spec.accel, ...cpu(spec)],
    ...['-m', `${spec.memoryMiB}M`, '-smp', `${spec.vcpus}`],
    ...(role === 'boot' ? [] : memory(spec, fds, role)),
    ...(role === 'clone' ? incoming : kernel(spec, fds)),
    ...[...socket('monitor', fds.monitor), '-mon', 'chardev=monitor,mode=control'],
    ...[...socket('console', fds.console), '-serial', 'chardev:console'],
    ...['-device', 'virtio-serial-pci,id=ports'],
    ...[...socket('agent', fds.agent), ...port(agentPort)],
    ...[...socket('stream', fds.stream), ...port(streamPort)],
    ...['-device', 'virtio-rng-pci'],
    ...nicArgs(spec.nics, fds.firstNic),
    ...(spec.extraArgs ?? []),
  ]
}

/** True when what a user wants of its NICs takes privileges. */
export function isPrivileged({ nics }: Pick<Described, 'nics'>): boolean {
  return nics.some(({ privileged }) => privileged)
}

/**
 * Waits to be told where its state comes from. Its NICs do not announce themselves: nobody on its nets knows it
 * yet, and five rounds of that cost each clone 15 ms of CPU, and everybody on the net a packet a round.
 */
const incoming = ['-incoming', 'defer', '-global', 'migration.announce-rounds=0']

function kernel(spec: Described, fds: ChildFds): string[] {
  const files = ['-kernel', openAgain(fds.kernel!), '-initrd', openAgain(fds.initramfs!)]
  return [...files, '-append', kernelLine(spec)]
}

/** RAM in a file: a template writes into it, a clone maps it privately. */
function memory({ memoryMiB }: Described, { ram }: ChildFds, role: 'template' | 'clone'): string[] {
  const share = role === 'template' ? 'on' : 'off'
  return [
    '-object',
    `memory-backend-file,id=ram,size=${memoryMiB}M,mem-path=${openAgain(ram!)},share=${share}`,
  ]
}

/** microvm has no PCI unless told; its timers are good enough only under KVM. */
function machine({ machine: type = 'q35', accel, name }: Described, { ram }: ChildFds): string {
  const backend = ram === undefined ? '' : ',memory-backend=ram'
  if (type !== 'microvm') return type + backend
  if (accel === 'kvm') return `microvm,pcie=on,rtc=on${backend}`
  throw new VmError({
    code: 'BAD_MACHINE',
    kind: 'usage',
    op: 'start',
    target: name,
    reason: 'a microvm without KVM hangs while it calibrates its clock on a busy host',
    remedy: 'Use machine q35 or pc, or a host with KVM',
  })
}

function cpu({ accel }: Described): string[] {
  return accel === 'kvm' ? ['-cpu', 'host'] : []
}

function socket(id: string, fd: number): string[] {
  return ['-chardev', `socket,id=${id},fd=${fd}`]
}

function port({ id, name }: { id: string; name: string }): string[] {
  return ['-device', `virtserialport,id=${id},bus=ports.0,chardev=${id},name=${name}`]
}

function openAgain(fd: number): string {
  return `/proc/self/fd/${fd}`
}

/** Puts the numbers that the NICs' descriptors will have in their options. */
function nicArgs(nics: readonly Nic[], firstFd: number): string[] {
  let next = firstFd
  return nics.flatMap(({ args, fds }) => {
    const first = next
    next += fds.length
    return args.map(arg => arg.replace(/\{fd(\d+)\}/g, (_, index) => `${first + Number(index)}`))
  })
}

/** A comma ends a value in QEMU's options, two are one. */
function quoted(value: string): string {
  return value.replaceAll(',', ',,')
}
