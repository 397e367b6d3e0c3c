import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { Scope } from '../../src/base/index.ts'
import type { Sample } from '../benchmark.ts'
import { built } from '../built.ts'
import type { HostResources } from './host.ts'
import { nowMs, Prober } from './prober.ts'

/** The default cluster: nodes with their nets. */
const nodes = [
  ...[1, 2, 3, 4].map(id => ({ id, nets: [0, 1] })),
  ...[201, 202].map(id => ({ id, nets: [0, 1, 2] })),
]

/** Starts the default cluster the way of the original xcluster, waits until it is ready, and removes it. */
export async function originalRound(host: HostResources): Promise<Sample> {
  await using scope = new Scope()
  const { NetNamespace, launch } = await built('sys')
  const prober = new Prober(host.prober, scope)
  const began = nowMs()
  const namespace = NetNamespace.create()
  scope.defer(() => namespace.close())
  await inShell(namespace.path, networkScript())
  prober.watch(
    namespace.path,
    nodes.map(({ id }) => id),
  )
  for (const node of nodes) {
    const qemu = launch({ file: host.qemu.path, args: originalArgs(node, host), namespace })
    scope.defer(async () => {
      qemu.kill('SIGKILL')
      await qemu.exited
    })
    void qemu.exited.then(() => {
      if (!scope.closed) process.stderr.write(`QEMU of the original has ended: ${qemu.stderr()}\n`)
    })
  }
  return { ready: (await prober.ready) - began }
}

/** Its steps, each a process. Net 1 belongs to the cluster: the host has no address there. */
export function networkScript(): string {
  const bridges = [0, 1, 2].flatMap(net => [
    `ip link add name xcbr${net} type bridge`,
    `ip link set dev xcbr${net} mtu 1500`,
    `ip link set dev xcbr${net} type bridge group_fwd_mask 0x4000`,
    `ip link set dev xcbr${net} up`,
    ...(net === 1
      ? []
      : [
          `ip addr add 192.168.${net}.250/24 dev xcbr${net}`,
          `ip -6 addr add fd00::192.168.${net}.250/120 dev xcbr${net}`,
        ]),
  ])
  const taps = nodes.flatMap(({ id, nets }) =>
    nets.flatMap(net => [
      `ip tuntap add xcbr${net}_t${id} mode tap`,
      `ip link set dev xcbr${net}_t${id} mtu 1500`,
      `ip link set dev xcbr${net}_t${id} master xcbr${net}`,
      `ip link set dev xcbr${net}_t${id} up`,
    ]),
  )
  return ['ip link set lo up', ...bridges, ...taps].join('\n')
}

/**
 * Its command line, with -initrd in place of -drive, and the monitor on a socket without a number that
 * another could have. The accelerator is the same as in the other variants: the original's `kvm` is QEMU with
 * -enable-kvm.
 */
export function originalArgs(
  { id, nets }: (typeof nodes)[number],
  { accel, bzImage, overlaid, places }: HostResources,
): string[] {
  const hex = (value: number) => value.toString(16).padStart(2, '0')
  return [
    ...['-accel', accel.kind, '-kernel', bzImage, '-initrd', overlaid.initramfs],
    ...['-smp', '2', '-M', 'pc', '-m', '128'],
    ...['-monitor', `unix:${join(places.cache, `monitor-${id}`)},server=on,wait=off`, '-nographic'],
    ...nets.flatMap(net => [
      '-netdev',
      `tap,id=net${net},script=no,downscript=no,ifname=xcbr${net}_t${id}`,
      '-device',
      `virtio-net-pci,netdev=net${net},mac=00:00:00:01:${hex(net)}:${hex(id)}`,
    ]),
    ...['-append', 'root=/dev/vda rw init=/init'],
  ]
}

async function inShell(namespacePath: string, script: string): Promise<void> {
  const shell = spawn('nsenter', [`--net=${namespacePath}`, 'sh', '-e'], {
    stdio: ['pipe', 'inherit', 'inherit'],
  })
  shell.stdin.end(script)
  const [status] = await once(shell, 'exit')
  if (status !== 0) throw new Error(`the network of the original: a step failed with status ${status}`)
}
