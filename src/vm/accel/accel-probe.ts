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

/** Faster than this it is not compared: hardware needs 0.1 s, and 0.5 s on a busy machine. */
const quickMs = 500
/** A KVM that emulates takes ten times as long as QEMU's own translator. */
const mostTimesSlower = 3

/** Runs the probe's three instructions under KVM. Returns why that failed; undefined when it worked. */
export async function kvmTrouble(probe: Probe): Promise<string | undefined> {
  const { deadlineMs = 2000, cpu = 'host' } = probe
  const { trouble, ms } = await run(probe, ['-accel', 'kvm', '-cpu', cpu], deadlineMs)
  if (trouble !== undefined || ms < quickMs) return trouble
  const other = await run(probe, ['-accel', 'tcg'], deadlineMs)
  if (other.trouble !== undefined || ms < mostTimesSlower * other.ms) return undefined
  return `a test guest with three instructions took ${seconds(ms)}, and ${seconds(other.ms)} without KVM: it emulates them`
}

interface Ran {
  readonly trouble: string | undefined
  readonly ms: number
}

async function run(probe: Probe, accelerator: readonly string[], deadlineMs: number): Promise<Ran> {
  const { qemu, identity, clock = systemClock } = probe
  await using kernel = await sealedMemfd('xcluster-probe', fd => void writeSync(fd, probeKernel()))
  const began = clock.now()
  const launched = launch({
    file: qemu,
    args: probeArgs(accelerator),
    fds: [kernel.fd],
    ...(identity && { identity: await kvmIdentity(identity, 'kvm') }),
  })
  const inTime = await waitFor(clock, launched.exited, deadlineMs)
  if (!inTime) launched.kill('SIGKILL')
  const { code, signal } = await launched.exited
  const ms = clock.now() - began
  if (!inTime)
    return { ms, trouble: `a test guest with three instructions did not end within ${seconds(deadlineMs)}` }
  return { ms, trouble: code === probeStatus ? undefined : saidBy(launched, signal ?? `status ${code}`) }
}

function seconds(ms: number): string {
  return `${Number((ms / 1000).toFixed(3))} s`
}

function probeArgs(accelerator: readonly string[]): string[] {
  return [
    ...['-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot'],
    ...['-machine', 'q35', ...accelerator, '-m', '16M'],
    ...['-kernel', '/proc/self/fd/3', '-device', probeDevice],
  ]
}

/** QEMU's first line that is more than a warning, without the program's name. */
function saidBy(launched: Launched, how: string): string {
  const lines = launched.stderr().split('\n')
  const first = lines.find(line => line.trim() && !line.includes('warning:'))
  return first ? `QEMU said: ${first.replace(/^\S*qemu-system-\S+: /, '')}` : `QEMU ended with ${how}`
}
