import type { Nic } from '../base/index.ts'
import { childFd } from './child-fds.ts'
import { VmError } from './errors.ts'
import { kernelLine } from './kernel-line.ts'
import type { VmSpec } from './types.ts'

/** The guest agent's virtio-serial port: its device id in QEMU, its name in the guest. */
export const agentPort = { id: 'agent', name: 'org.qemu.guest_agent.0' } as const
/** A second port, reserved for streams; there from the start because a clone's devices are its template's. */
const streamPort = { id: 'stream', name: 'org.xcluster.stream.0' } as const

const sandbox = 'on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny'

/**
 * The arguments of `qemu-system-x86_64` for a VM. Pure: what it opens, it opens by the number a file descriptor
 * will have in the child ({@link childFd}). Kernel and initramfs too: the directories they lie in may be closed
 * to the user QEMU runs as.
 */
export function qemuArgs(spec: VmSpec): string[] {
  return [
    ...['-name', quoted(spec.name)],
    ...['-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot'],
    ...['-sandbox', sandbox],
    ...['-machine', machine(spec), '-accel', spec.accel, ...cpu(spec)],
    ...['-m', `${spec.memoryMiB}M`, '-smp', `${spec.vcpus}`],
    ...['-kernel', openAgain(childFd.kernel), '-initrd', openAgain(childFd.initramfs)],
    ...['-append', kernelLine(spec)],
    ...[...socket('monitor', childFd.monitor), '-mon', 'chardev=monitor,mode=control'],
    ...[...socket('console', childFd.console), '-serial', 'chardev:console'],
    ...['-device', 'virtio-serial-pci,id=ports'],
    ...[...socket('agent', childFd.agent), ...port(agentPort)],
    ...['-chardev', 'null,id=stream', ...port(streamPort)],
    ...['-device', 'virtio-rng-pci'],
    ...(spec.machine === 'microvm' ? [] : ['-device', 'vmgenid,guid=auto']),
    ...nicArgs(spec.nics),
    ...(spec.extraArgs ?? []),
  ]
}

/** microvm has no PCI unless told; its timers are good enough only under KVM. */
function machine({ machine: type = 'q35', accel, name }: VmSpec): string {
  if (type !== 'microvm') return type
  if (accel === 'kvm') return 'microvm,pcie=on,rtc=on'
  throw new VmError({
    code: 'BAD_MACHINE',
    kind: 'usage',
    op: 'start',
    target: name,
    reason: 'a microvm without KVM hangs while it calibrates its clock on a busy host',
    remedy: 'Use machine q35 or pc, or a host with KVM',
  })
}

function cpu({ accel }: VmSpec): string[] {
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
function nicArgs(nics: readonly Nic[]): string[] {
  let next: number = childFd.firstNic
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
