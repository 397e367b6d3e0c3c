import type { Exit } from '../../sys/index.ts'
import { VmError } from '../errors.ts'
import type { Milestone } from '../types.ts'

/** What is left of a VM that nobody asked to end. */
export interface ExitReport {
  readonly name: string
  /** Absent while QEMU still runs, as it does after some panics. */
  readonly exit?: Exit | undefined
  /** The kernel's words. */
  readonly panic?: string | undefined
  /** Data of QEMU's SHUTDOWN event: the guest did it itself when `guest` is true. */
  readonly shutdown?: { readonly guest: boolean; readonly reason: string } | undefined
  /** Why the monitor is of no use any more, where that is the reason. */
  readonly monitor?: string | undefined
  readonly stderr: string
  /** The console's last lines. */
  readonly console: string
  /** How far it had come. */
  readonly reached: Milestone
}

/** Why it died, as an error for people. The most telling witness is heard first: kernel, guest, QEMU, exit. */
export function postmortem(remains: ExitReport): VmError {
  const { name, panic, shutdown } = remains
  // Without a reset (or with QEMU still there) it was only a text like it on the console.
  if (panic !== undefined && (shutdown?.guest || !remains.exit)) {
    const remedy = 'The console log has all of it'
    return new VmError({ code: 'GUEST_PANIC', op: 'run', target: name, reason: told(panic, remains), remedy })
  }
  if (shutdown?.guest) {
    const how = shutdown.reason === 'guest-reset' ? 'restarted' : 'switched itself off'
    const reason = told(`the guest ${how} (${shutdown.reason}, after '${remains.reached}')`, remains)
    return new VmError({ code: 'GUEST_ENDED', op: 'run', target: name, reason })
  }
  const how = `QEMU ${exitText(remains)} (after '${remains.reached}')`
  return new VmError({ code: 'QEMU_DIED', op: 'run', target: name, reason: told(how, remains) })
}

/** A guest that has not become ready in time. */
export function bootTimeout(remains: ExitReport, ms: number): VmError {
  const reason = told(`not ready within ${ms / 1000} s; the last it reached is '${remains.reached}'`, remains)
  const remedy = 'Look at the console log; a busy host may need a longer timeout'
  return new VmError({ code: 'BOOT_TIMEOUT', op: 'boot', target: remains.name, reason, remedy })
}

function exitText({ exit, monitor = 'closed' }: ExitReport): string {
  if (exit?.signal) return `was killed by ${exit.signal}`
  return exit ? `exited with status ${exit.code}` : `has no monitor any more (${monitor})`
}

/** The first sentence, then what QEMU and the console said last, indented. */
function told(what: string, { stderr, console }: ExitReport): string {
  const block = (title: string, text: string) =>
    text.trim()
      ? [
          `${title}:`,
          ...text
            .trim()
            .split('\n')
            .map(line => `  ${line}`),
        ]
      : []
  return [
    what,
    ...block('QEMU said', stderr.split('\n').slice(-8).join('\n')),
    ...block("the console's last lines", console),
  ].join('\n')
}
