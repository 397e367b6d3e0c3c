import type { Nic } from '../../base/index.ts'
import { diskNodes } from '../disk/nodes.ts'
import { VmError } from '../errors.ts'
import type { VmSpec } from '../types.ts'
import { type ChildFds, fdsOf, type Role } from './child-fds.ts'
import { kernelLine } from './kernel-line.ts'

/** The guest agent's virtio-serial port: its device id in QEMU, and its name in the guest. */
export const agentPort = { id: 'agent', name: 'org.qemu.guest_agent.0' } as const
/**
 * A second port for `Machine.stream`. Every VM has it, because the devices of a clone are those of its
 * template.
 */
const streamPort = { id: 'stream', name: 'org.xcluster.stream.0' } as const

const strict = 'on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny'
export const sandboxArgs = ['-sandbox', strict]
/** For one that forks others: it is copied, and what is copied denies itself the rest (native/qemu/machine.c). */
const forkableSandbox = strict.replace('spawn=deny,', '')
/**
 * For a QEMU that keeps its privileges and may use them, also to start the programs in a user's `-netdev`
 * options.
 */
const wideSandbox = 'on,obsolete=deny,resourcecontrol=deny'

/** The part of a {@link VmSpec} that is on QEMU's command line. */
export type Described = Omit<VmSpec, 'qemu' | 'consoleLog'>

/**
 * The arguments of `qemu-system-x86_64` for a VM. Pure: files are named by the file descriptor that they will
 * have in the child ({@link childFds}). That includes kernel and initramfs, because the user of QEMU may not
 * have access to their directories. A clone has neither: its kernel runs already.
 */
export function qemuArgs(spec: Described, role: Role = spec.template ? 'clone' : 'boot'): string[] {
  const fds = fdsOf(role, spec)
  return [
    ...['-name', quoted(spec.name)],
    ...['-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot'],
    ...sandbox(spec),
    ...['-machine', machine(spec, fds), '-accel', spec.accel, ...cpu(spec)],
    ...['-m', `${spec.memoryMiB}M`, '-smp', `${spec.vcpus}`],
    ...(role === 'boot' ? [] : memory(spec, fds)),
    ...(fds.state === undefined ? kernel(spec, fds) : incoming),
    ...[...socket('monitor', fds.monitor), ...monitor(spec)],
    ...[...socket('console', fds.console), '-serial', 'chardev:console'],
    ...['-device', 'virtio-serial-pci,id=ports'],
    ...[...socket('agent', fds.agent), ...port(agentPort)],
    ...[...socket('stream', fds.stream), ...port(streamPort)],
    ...['-device', 'virtio-rng-pci'],
    ...quietNics,
    ...nicArgs(spec.nics, fds.firstNic),
    ...bootDiskArgs(spec, fds, role),
    ...diskArgs(spec, fds),
    ...(spec.extraArgs ?? []),
  ]
}

function sandbox(spec: Described): readonly string[] {
  if (isPrivileged(spec)) return ['-sandbox', wideSandbox]
  return spec.forkable ? ['-sandbox', forkableSandbox] : sandboxArgs
}

/** True when the options of a user's NICs need privileges. */
export function isPrivileged({ nics }: Pick<Described, 'nics'>): boolean {
  return nics.some(({ privileged }) => privileged)
}

/**
 * A VM that goes on from a saved state announces itself neither through its guest nor from QEMU: no node on its nets
 * knows it yet, and the five rounds would cost each clone 15 ms of CPU, and every node on the net a packet a round.
 * The device lacks the guest's part: with it, QEMU 7.2 could die much later (docs/decisions/cloning.md).
 */
const quietNics = ['-global', 'virtio-net-device.guest_announce=off']
const incoming = ['-incoming', 'defer', '-global', 'migration.announce-rounds=0']

function kernel(spec: Described, fds: ChildFds): string[] {
  if (fds.kernel === undefined) return ['-boot', 'strict=on']
  const initramfs = spec.initramfs === undefined ? [] : ['-initrd', openAgain(afterNics(spec, fds))]
  return ['-kernel', openAgain(fds.kernel), ...initramfs, '-append', kernelLine(spec)]
}

function afterNics({ nics }: Described, { firstNic }: ChildFds): number {
  return firstNic + nics.reduce((sum, nic) => sum + nic.fds.length, 0)
}

/**
 * Read-only disks. A guest names its disks in the order of their places on the bus, so these come after those of the
 * user, from 1e on downwards.
 */
function diskArgs(spec: Described, fds: ChildFds): string[] {
  const first = firstDisk(spec, fds)
  return (spec.disks ?? []).flatMap(({ serial }, index) => {
    const file = `file.driver=file,file.filename=${openAgain(first + index)},file.locking=off`
    const device = `virtio-blk-pci,drive=disk${index},serial=${quoted(serial)},num-queues=1,addr=${(0x1e - index).toString(16)}`
    return ['-blockdev', `driver=raw,node-name=disk${index},read-only=on,${file}`, '-device', device]
  })
}

function firstDisk(spec: Described, fds: ChildFds): number {
  return afterNics(spec, fds) + (fds.kernel === undefined || spec.initramfs === undefined ? 0 : 1)
}

/**
 * The disk that the guest starts from. QEMU gets its files as fd sets: so it need not be allowed to open them. A guest
 * gets the errors of this machine, as that of a full disk, where QEMU would stop it.
 */
function bootDiskArgs(spec: Described, fds: ChildFds, role: Role): string[] {
  if (!spec.bootDisk) return []
  const first = firstDisk(spec, fds) + (spec.disks ?? []).length
  const seed = spec.seed !== undefined
  const { sources, nodes, disks } = diskNodes(spec.bootDisk, { kept: role === 'clone', seed })
  const devices = disks.flatMap(({ node, serial }, index) => {
    const boots = spec.kernel === undefined && index === 0 ? ',bootindex=0' : ''
    const errors = 'werror=report,rerror=report'
    return ['-device', `virtio-blk-pci,drive=${node},serial=${serial},num-queues=1,${errors}${boots}`]
  })
  return [
    ...sources.flatMap((_, index) => ['-add-fd', `fd=${first + index},set=${index + 1}`]),
    ...nodes.flatMap(node => ['-blockdev', JSON.stringify(node)]),
    ...devices,
  ]
}

/** RAM in a file: one that is to be saved writes to it, and a clone maps it privately. */
function memory({ memoryMiB }: Described, { ram, saved }: ChildFds): string[] {
  const share = saved === undefined ? 'off' : 'on'
  return [
    '-object',
    `memory-backend-file,id=ram,size=${memoryMiB}M,mem-path=${openAgain(ram!)},share=${share}`,
  ]
}

/**
 * No device that VMs have no use for: each that QEMU makes and restores costs memory and time (docs/decisions/cloning.md).
 * A user's options may name a drive or a bus of theirs.
 */
const lean = ',sata=off,smbus=off,vmport=off'

/** microvm has no PCI by default. Its timers are good enough only under KVM. */
function machine(
  { machine: type = 'q35', accel, name, kernel: given, extraArgs = [] }: Described,
  { ram, state }: ChildFds,
): string {
  // Without graphics the BIOS and boot loaders use the console.
  const text = given === undefined && state === undefined ? ',graphics=off' : ''
  const backend = ram === undefined ? text : `,memory-backend=ram${text}`
  if (type === 'q35' && extraArgs.length === 0) return type + lean + backend
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

/** From 11.1 on `-mon` is deprecated, and QEMU says so on every start. */
function monitor({ monitor: form = 'option' }: Described): string[] {
  if (form === 'object') return ['-object', 'monitor-qmp,id=qmp,chardev=monitor']
  return ['-mon', 'chardev=monitor,mode=control']
}

function port({ id, name }: { id: string; name: string }): string[] {
  return ['-device', `virtserialport,id=${id},bus=ports.0,chardev=${id},name=${name}`]
}

function openAgain(fd: number): string {
  return `/proc/self/fd/${fd}`
}

/** Puts the descriptor numbers of the NICs into their options. */
function nicArgs(nics: readonly Nic[], firstFd: number): string[] {
  let next = firstFd
  return nics.flatMap(({ args, fds }) => {
    const first = next
    next += fds.length
    return args.map(arg => arg.replace(/\{fd(\d+)\}/g, (_, index) => `${first + Number(index)}`))
  })
}

/** A comma ends a value in QEMU's options; two commas stand for one. */
function quoted(value: string): string {
  return value.replaceAll(',', ',,')
}
