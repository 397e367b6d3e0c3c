import type { Clock } from '../../base/index.ts'
import { VmError } from '../errors.ts'

/** What the ladder below needs of a machine. */
export interface Stoppable {
  readonly name: string
  readonly clock: Clock
  /** Resolves when the process is gone. */
  readonly gone: Promise<unknown>
  /** Lets the guest write back what it holds; absent when it cannot be asked. */
  readonly sync?: (() => Promise<unknown>) | undefined
  quit(): Promise<unknown>
  kill(signal: 'SIGTERM' | 'SIGKILL'): void
}

/** The kernel takes a process away in milliseconds, unless it waits for a device. */
const killMs = 10_000

/** Guest, then QEMU, then the kernel: each is asked only when the one before did not do it in its time. */
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
  const reason = `QEMU is still there ${killMs / 1000} s after SIGKILL: it waits inside the kernel`
  throw new VmError({ code: 'QEMU_STUCK', op: 'stop', target: vm.name, reason })
}

/** A step that fails is a reason for the next one, not an error. */
async function attempt(step: () => Promise<unknown>): Promise<void> {
  try {
    await step()
  } catch {}
}

/** True when `event` came within `ms`; `event` may not reject. */
export async function waitFor(clock: Clock, event: Promise<unknown>, ms: number): Promise<boolean> {
  let callOff = () => {}
  const late = new Promise<false>(resolve => {
    callOff = clock.after(ms, () => resolve(false))
  })
  try {
    return await Promise.race([event.then(() => true), late])
  } finally {
    callOff()
  }
}
