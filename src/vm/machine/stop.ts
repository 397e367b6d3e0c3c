import type { Clock } from '../../base/index.ts'
import { VmError } from '../errors.ts'

/** The part of a machine that the steps below need. */
export interface Stoppable {
  readonly name: string
  readonly clock: Clock
  /** Resolves when the process has ended. */
  readonly gone: Promise<unknown>
  /** Makes the guest write its buffers to disk; absent when the agent cannot be used. */
  readonly sync?: (() => Promise<unknown>) | undefined
  quit(): Promise<unknown>
  kill(signal: 'SIGTERM' | 'SIGKILL'): void
}

/** The kernel ends a process within milliseconds, unless it waits for a device. */
const killMs = 10_000

/**
 * Asks the guest, then QEMU, then the kernel. Each step is taken only when the one before did not end the VM
 * in time.
 */
export async function stopInSteps(vm: Stoppable, graceMs: number): Promise<void> {
  if (vm.sync && graceMs > 0) await waitFor(vm.clock, attempt(vm.sync), graceMs)
  void attempt(() => vm.quit())
  if (await waitFor(vm.clock, vm.gone, 1000)) return
  vm.kill('SIGTERM')
  if (await waitFor(vm.clock, vm.gone, 1000)) return
  await killAndWait(vm)
}

export async function killAndWait(vm: Pick<Stoppable, 'name' | 'clock' | 'gone' | 'kill'>): Promise<void> {
  vm.kill('SIGKILL')
  if (await waitFor(vm.clock, vm.gone, killMs)) return
  const reason = `QEMU still runs ${killMs / 1000} s after SIGKILL: it waits inside the kernel`
  throw new VmError({ code: 'QEMU_STUCK', op: 'stop', target: vm.name, reason })
}

/** A step that fails leads to the next one and is not an error. */
async function attempt(step: () => Promise<unknown>): Promise<void> {
  try {
    await step()
  } catch {}
}

/** True when `event` came within `ms`. `event` must not reject. */
export async function waitFor(clock: Clock, event: Promise<unknown>, ms: number): Promise<boolean> {
  let cancel = () => {}
  const late = new Promise<false>(resolve => {
    cancel = clock.after(ms, () => resolve(false))
  })
  try {
    return await Promise.race([event.then(() => true), late])
  } finally {
    cancel()
  }
}
