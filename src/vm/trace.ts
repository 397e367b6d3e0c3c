import { type Trace, traceOf } from '../base/index.ts'
import type { Exit, Launched, LaunchSpec } from '../sys/index.ts'
import type { MachineState, Milestone } from './types.ts'

/** An event of one VM. */
export interface VmTraceValue {
  /** At its start: QEMU's process, program and arguments. */
  readonly pid?: number
  readonly argv?: readonly string[]
  /** At its start: the user that QEMU runs as, if not that of this process, and its network namespace. */
  readonly uid?: number
  readonly namespace?: string
  readonly milestone?: Milestone
  readonly state?: MachineState
  /** Why it failed. */
  readonly reason?: string
  readonly exit?: Exit
}

export const trace: Trace<VmTraceValue> = traceOf('vm')

export function tellLaunched(
  name: string,
  { file, args = [], identity, namespace }: LaunchSpec,
  { pid }: Launched,
): void {
  const value = {
    pid,
    ...(identity && { uid: identity.uid }),
    ...(namespace && { namespace: `net:[${namespace.inode}]` }),
    argv: [file, ...args.map(withoutSecret)],
  }
  trace.tell({ direction: 'sent', peer: name, what: 'start QEMU', value })
}

export function tellForked(name: string, pid: number): void {
  trace.tell({ direction: 'sent', peer: name, what: 'fork QEMU', value: { pid } })
}

/** Hides the data of `-object secret,data=…`, which a user may add. */
function withoutSecret(argument: string): string {
  const isSecret = /\bsecret/.test(argument) && /\bdata\b/.test(argument)
  return isSecret ? `an object with a secret, ${argument.length} characters, not shown` : argument
}

/** `ms` counts from the call that started the VM. */
export function tellMilestone(name: string, milestone: Milestone, ms: number): void {
  trace.tell({ direction: 'noted', peer: name, what: `passes ${milestone}`, ms, value: { milestone } })
}

export function tellState(
  name: string,
  state: MachineState,
  { ms, reason }: { ms: number; reason?: string | undefined },
): void {
  const value = { state, ...(reason !== undefined && { reason }) }
  trace.tell({ direction: 'noted', peer: name, what: `is ${state}`, ms, value })
}

export function tellExit(name: string, pid: number, exit: Exit): void {
  const how = exit.signal ? `killed by ${exit.signal}` : `status ${exit.code}`
  trace.tell({ direction: 'received', peer: name, what: `QEMU exits, ${how}`, value: { pid, exit } })
}
