import { writeSync } from 'node:fs'
import { type Clock, systemClock } from '../../base/index.ts'
import { type Identity, type Launched, launch, sealedMemfd } from '../../sys/index.ts'
import { waitFor } from '../machine/stop.ts'
import { kvmIdentity } from './kvm-identity.ts'
import { probeDevice, probeKernel, probeStatus } from './probe-kernel.ts'

export interface Probe {
  /** Path of qemu-system-x86_64. */
  readonly qemu: string
  /** The user that VMs will run as. */
  readonly identity?: Identity | undefined
  /**
   * The time limit. Hardware needs 0.1 s. A KVM that emulates every instruction may finish too, but much
   * later.
   */
  readonly deadlineMs?: number
  /** The CPU model that VMs get. Tests use others. */
  readonly cpu?: string
  readonly clock?: Clock
}

/** Runs the probe's three instructions under KVM. Returns why that failed; undefined when it worked. */
export async function kvmTrouble(probe: Probe): Promise<string | undefined> {
  const { qemu, identity, deadlineMs = 2000, clock = systemClock } = probe
  await using kernel = await sealedMemfd('xcluster-probe', fd => void writeSync(fd, probeKernel()))
  const launched = launch({
    file: qemu,
    args: probeArgs(probe.cpu ?? 'host'),
    fds: [kernel.fd],
    ...(identity && { identity: await kvmIdentity(identity, 'kvm') }),
  })
  const inTime = await waitFor(clock, launched.exited, deadlineMs)
  if (!inTime) launched.kill('SIGKILL')
  const { code, signal } = await launched.exited
  if (!inTime) return `a test guest with three instructions did not end within ${deadlineMs / 1000} s`
  return code === probeStatus ? undefined : saidBy(launched, signal ?? `status ${code}`)
}

function probeArgs(cpu: string): string[] {
  return [
    ...['-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot'],
    ...['-machine', 'q35', '-accel', 'kvm', '-cpu', cpu, '-m', '16M'],
    ...['-kernel', '/proc/self/fd/3', '-device', probeDevice],
  ]
}

/** QEMU's first line that is more than a warning, without the program's name. */
function saidBy(launched: Launched, how: string): string {
  const lines = launched.stderr().split('\n')
  const first = lines.find(line => line.trim() && !line.includes('warning:'))
  return first ? `QEMU said: ${first.replace(/^\S*qemu-system-\S+: /, '')}` : `QEMU ended with ${how}`
}
