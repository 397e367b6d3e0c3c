import type { Clock, Port, Queue } from '../base/index.ts'
import type { ExecOptions, ExecResult, QmpClient } from '../qmp/index.ts'
import type { Identity, NetNamespace } from '../sys/index.ts'
import type {
  AccelKind,
  BootDisk,
  Disk,
  DiskFile,
  MachineType,
  MonitorForm,
  Qemu,
  SavedVm,
  Template,
  VmShape,
} from './shape.ts'
import type { Zygote } from './zygote/zygote.ts'

export type {
  AccelKind,
  BootDisk,
  Disk,
  DiskFile,
  ExecOptions,
  ExecResult,
  Identity,
  MachineType,
  Qemu,
  SavedVm,
  Template,
  VmShape,
}

/** The result of the accelerator probe. */
export interface Accel {
  readonly kind: AccelKind
  /** Why it is not KVM, as a sentence; absent when it is. */
  readonly reason?: string
}

/** One VM, described completely: nothing else decides how it runs. */
export interface VmSpec extends VmShape {
  /** Short and unique in its cluster: `vm-003`. It names the process, and is in every error. */
  readonly name: string
  /** Path of qemu-system-x86_64. */
  readonly qemu: string
  /** {@link Qemu.monitor}. Default: `option`, which all of them know. */
  readonly monitor?: MonitorForm
  /** MTU by net. Those other than 1500 go on the kernel command line as `mtu<net>=`. */
  readonly mtus?: Readonly<Record<number, number>>
  /** The network namespace of QEMU. Default: the caller's own. */
  readonly namespace?: NetNamespace | undefined
  /** The guest's console output is appended to this file. */
  readonly consoleLog: string
  /** An ISO image with the configuration of cloud-init, as a disk with the serial number `xcluster-seed`. With `bootDisk` alone. */
  readonly seed?: Uint8Array
  /** The time limit from the start of QEMU to the agent's first answer. Default: 120 s, and 6 s for each emulated vCPU. */
  readonly readyTimeoutMs?: number
  /**
   * Clone this template instead of booting. The guest resumes with the template's state and has no identity
   * yet; its interfaces are down and have the template's MACs. This spec must have the template's shape
   * ({@link TemplateSpec}). Kernel, initramfs and append are those of the template.
   */
  readonly template?: Template
  /** It can be saved while it runs ({@link Machine.freeze}). Its memory is its own, also that of a clone. */
  readonly freezable?: boolean
  /** A clone from which others can be forked while it stands still ({@link Machine.zygote}). Under TCG, on x86-64. */
  readonly forkable?: boolean
  /** What to fork it from, a VM of this spec that stands still. One that cannot be forked is cloned from `template`. */
  readonly forkOf?: Zygote
  /**
   * What `ready` waits for. `agent`: an answer of the guest's agent. `wake`: for a clone that gets other
   * commands first, only that it executes. Its agent is then queried when needed, because the agent's first
   * answer costs an emulated guest as much CPU as its start. `running`: that it executes, booted or cloned, for guests
   * without our programs; `exec` works if it has an agent. Default: `agent`.
   */
  readonly readyWith?: 'agent' | 'wake' | 'running'
}

export type { Zygote }

/** The state of a machine; `states.ts` has the picture. */
export type MachineState = 'starting' | 'running' | 'ready' | 'stopping' | 'stopped' | 'failed'

/**
 * The milestones of a boot, in this order: QEMU exists, its monitor answers, the kernel's first console line,
 * init's first line, the agent has opened its port, the agent has answered. A clone has neither `kernel` nor
 * `init`. Its `agent` is the moment at which it executes, because the port was open when the template was
 * saved.
 */
export type Milestone = 'spawned' | 'qmp' | 'kernel' | 'init' | 'agent' | 'ready'

/** An event of a machine. `atMs` counts milliseconds from the call of `startVm`. */
export type MachineEvent =
  | { readonly type: 'milestone'; readonly milestone: Milestone; readonly atMs: number }
  | { readonly type: 'state'; readonly state: MachineState; readonly atMs: number; readonly reason?: string }

/** The guest's serial console. */
export interface Console {
  /** The last output, at most 64 KiB. */
  tail(): Uint8Array
  /** The last lines of output as text, including an unfinished one. */
  lastLines(count?: number): string
  /** Sends input to the guest. */
  write(bytes: Uint8Array | string): void
  /** All output from now on; it ends with the machine. A reader that lags loses the oldest pieces. */
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
  /** QEMU's monitor, for operations without a method here. */
  readonly qmp: QmpClient
  /**
   * The host's end of the guest's port `org.xcluster.stream.0`. Bytes wait until a program in the guest opens
   * it. Closed with the machine.
   */
  readonly stream: Port
  /** From which others are forked while it stands still. Absent unless it was started `forkable`, and can be. */
  readonly zygote: Zygote | undefined
  /**
   * Resolves when its agent has answered (see `readyWith`). Rejects with the reason when that will never
   * happen.
   */
  readonly ready: Promise<void>
  /**
   * Resolves when QEMU has ended and everything is closed: with undefined after `stop` or `kill`, otherwise
   * with the reason.
   */
  readonly died: Promise<Error | undefined>
  /** State changes and milestones from now on; ends with the machine. */
  events(): Queue<MachineEvent>
  /**
   * Runs a command in the guest through its agent, and waits for the agent first. A string is run by
   * `/bin/sh -c`.
   */
  exec(command: readonly string[] | string, options?: ExecOptions): Promise<ExecResult>
  /** Connects or disconnects NIC number `index` (its place in `VmSpec.nics`). */
  setLink(index: number, up: boolean): Promise<void>
  /**
   * Saves a VM that was started as `freezable` and whose processors stand still (`stop`), and ends it. The result is
   * cloned as any template is, by VMs of the same shape. Throws VM_NOT_FREEZABLE.
   */
  freeze(): Promise<Template>
  /**
   * The same without an end: it stands still, and the monitor command `cont` lets it go on. What was saved holds until
   * then. Throws VM_NOT_FREEZABLE.
   */
  save(): Promise<SavedVm>
  /** Ends the VM through the guest, then QEMU, then the kernel: each only if the one before failed. */
  stop(options?: { readonly graceMs?: number }): Promise<void>
  /** Ends the VM at once. Resolves when the process has ended. */
  kill(): Promise<void>
}

/** Options to watch and cancel `startVm`. */
export interface StartOptions {
  /** An abort before `ready` kills the VM and leaves nothing behind. */
  readonly signal?: AbortSignal
  readonly clock?: Clock
}
