import type { Clock, Port, Queue } from '../base/index.ts'
import type { ExecOptions, ExecResult, QmpClient } from '../qmp/index.ts'
import type { Identity, NetNamespace } from '../sys/index.ts'
import type { AccelKind, MachineType, Qemu, Template, VmShape } from './shape.ts'

export type { AccelKind, ExecOptions, ExecResult, Identity, MachineType, Qemu, Template, VmShape }

/** What a probe found out about this machine. */
export interface Accel {
  readonly kind: AccelKind
  /** Why it is not KVM, as a sentence for people; absent when it is. */
  readonly reason?: string
}

/** One VM, complete: nothing else decides how it runs. */
export interface VmSpec extends VmShape {
  /** Short and unique in its cluster: `vm-003`. Names the process and every error. */
  readonly name: string
  /** Path of qemu-system-x86_64. */
  readonly qemu: string
  /** MTU by net; those that are not 1500 go on the kernel command line as `mtu<net>=`. */
  readonly mtus?: Readonly<Record<number, number>>
  /** The network namespace QEMU runs in; absent: the caller's own. */
  readonly namespace?: NetNamespace | undefined
  /** Everything the guest's console prints is appended to this file. */
  readonly consoleLog: string
  /** How long the guest may take from spawn to its agent's first answer; 120 s when absent. */
  readonly readyTimeoutMs?: number
  /**
   * Clone this instead of booting: the guest wakes up as the template was and knows nothing of itself; its
   * interfaces are down and have the template's MACs. This spec has to be of the template's shape
   * ({@link TemplateSpec}); kernel, initramfs and append were the template's.
   */
  readonly template?: Template
  /**
   * What `ready` waits for: an answer of the guest's agent, or, for a clone that is asked something else first, no
   * more than that it executes. The agent is then asked when it is needed (its first answer costs an emulated guest
   * as much CPU as its start). `agent` when absent.
   */
  readonly readyWith?: 'agent' | 'wake'
}

/** Where a machine stands; `states.ts` has the picture. */
export type MachineState = 'starting' | 'running' | 'ready' | 'stopping' | 'stopped' | 'failed'

/**
 * What a booting machine passes, in this order: QEMU exists, its monitor answers, the kernel's first console
 * line, init's first line, the agent has opened its port, the agent has answered. A clone has neither `kernel`
 * nor `init`; its `agent` is the moment it executes, because the port was open when the template was saved.
 */
export type Milestone = 'spawned' | 'qmp' | 'kernel' | 'init' | 'agent' | 'ready'

/** One thing that happened to a machine; `atMs` counts from the call of `startVm`. */
export type MachineEvent =
  | { readonly type: 'milestone'; readonly milestone: Milestone; readonly atMs: number }
  | { readonly type: 'state'; readonly state: MachineState; readonly atMs: number; readonly reason?: string }

/** The guest's serial console. */
export interface Console {
  /** The last output, at most 64 KiB. */
  tail(): Uint8Array
  /** The last complete or begun lines as text, for people. */
  lastLines(count?: number): string
  /** Types into the guest. */
  write(bytes: Uint8Array | string): void
  /** All output from now on; ends with the machine. A reader that lags loses the oldest pieces. */
  attach(): Queue<Uint8Array>
}

/** One running VM. Closing (`await using`) kills it at once. */
export interface Machine extends AsyncDisposable {
  readonly name: string
  readonly pid: number
  readonly state: MachineState
  /** Why it failed; absent unless `state` is `failed`. */
  readonly failure: Error | undefined
  /** Milliseconds from the call of `startVm` to each milestone passed so far. */
  readonly milestones: Readonly<Partial<Record<Milestone, number>>>
  readonly console: Console
  /** QEMU's monitor, for what has no method here. */
  readonly qmp: QmpClient
  /**
   * The host's end of the guest's port `org.xcluster.stream.0`: what is sent waits until something there opens it.
   * Closed with the machine.
   */
  readonly stream: Port
  /** Resolves when its agent has answered (see `readyWith`); rejects with the reason when that will never be. */
  readonly ready: Promise<void>
  /** Resolves when QEMU is gone and all of it is closed: undefined after `stop` or `kill`, else the reason. */
  readonly died: Promise<Error | undefined>
  /** State changes and milestones from now on; ends with the machine. */
  events(): Queue<MachineEvent>
  /** Runs a command in the guest through its agent, once that is there. A string is run by `/bin/sh -c`. */
  exec(command: readonly string[] | string, options?: ExecOptions): Promise<ExecResult>
  /** Plugs or pulls the cable of NIC number `index` (its place in `VmSpec.nics`). */
  setLink(index: number, up: boolean): Promise<void>
  /** Asks the guest, then QEMU, then the kernel to end it: each only if the one before failed. */
  stop(options?: { readonly graceMs?: number }): Promise<void>
  /** Ends it at once. Resolves when the process is gone. */
  kill(): Promise<void>
}

/** How `startVm` may be watched and called off. */
export interface StartOptions {
  /** Aborting it, at any moment before `ready`, kills the VM and leaves nothing. */
  readonly signal?: AbortSignal
  readonly clock?: Clock
}
