import { printable } from '../../base/index.ts'
import type { Exit } from '../../sys/index.ts'
import { VmError } from '../errors.ts'
import type { Milestone } from '../types.ts'

/** The state of a VM that ended by itself. */
export interface ExitReport {
  readonly name: string
  /** Absent while QEMU still runs, as it does after some panics. */
  readonly exit?: Exit | undefined
  /** The kernel's panic message. */
  readonly panic?: string | undefined
  /** The kernel's words about a breakpoint that it did not set. */
  readonly trap?: string | undefined
  /** Data of QEMU's SHUTDOWN event. The guest caused it when `guest` is true. */
  readonly shutdown?: { readonly guest: boolean; readonly reason: string } | undefined
  /** Why the monitor failed, where that is the cause. */
  readonly monitor?: string | undefined
  /** The last command and event of the monitor. */
  readonly exchange?: string | undefined
  readonly stderr: string
  /** The console's last lines. */
  readonly console: string
  /** The last milestone of its boot. */
  readonly reached: Milestone
}

/** Explains the death as an error. The most informative source counts first: kernel, guest, QEMU, exit status. */
export function postmortem(report: ExitReport): VmError {
  const { name, panic, shutdown } = report
  const broken = whyBroken(report)
  if (broken !== undefined) {
    const remedy = 'Start it again, or with one processor (smp 1)'
    const reason = withOutput(broken, report)
    return new VmError({ code: 'BOOT_BROKEN', op: 'boot', target: name, reason, remedy })
  }
  // Without a reset (or with QEMU still running) the console only showed a text like a panic.
  if (panic !== undefined && (shutdown?.guest || !report.exit)) {
    const remedy = 'Read the console log'
    return new VmError({
      code: 'GUEST_PANIC',
      op: 'run',
      target: name,
      reason: withOutput(printable(panic, 300), report),
      remedy,
    })
  }
  const refusal = refusalOf(report)
  if (refusal !== undefined)
    return new VmError({ code: 'GUEST_ENDED', op: 'boot', target: name, reason: refusal })
  if (shutdown?.guest) {
    const how = shutdown.reason === 'guest-reset' ? 'restarted' : 'shut itself down'
    const reason = withOutput(`the guest ${how} (${shutdown.reason}, after '${report.reached}')`, report)
    return new VmError({ code: 'GUEST_ENDED', op: 'run', target: name, reason })
  }
  const said = report.exit?.signal && report.exchange ? `; its monitor: ${report.exchange}` : ''
  const how = `QEMU ${exitText(report)} (after '${report.reached}'${said})`
  return new VmError({ code: 'QEMU_DIED', op: 'run', target: name, reason: withOutput(how, report) })
}

/**
 * What happens to an emulated guest with several processors that has done nothing wrong: one of them runs translated code
 * of an instruction that another has replaced since, or uses a map of the machine's memory that another has replaced
 * (docs/decisions/vm.md).
 */
function whyBroken({ exit, shutdown, reached, panic, trap, console }: ExitReport): string | undefined {
  if (reached !== 'kernel') return undefined
  if (exit?.signal === 'SIGSEGV') return "QEMU was killed by SIGSEGV while the guest's kernel booted"
  if (shutdown?.reason !== 'guest-reset') return undefined
  // reboot(2) tells (kernel/reboot.c), and so does a kernel that panics.
  const isSilent = panic === undefined && !console.includes('reboot: Restarting system')
  if (!isSilent && trap === undefined) return undefined
  return `the guest reset while its kernel booted, ${trap ?? 'without a word'}`
}

/**
 * What init says when it cannot go on (guest/etc/xcluster/root): a sentence about what the user brought. It powers off
 * then, so nothing else on the console matters.
 */
function refusalOf({ shutdown, reached, console }: ExitReport): string | undefined {
  if (shutdown?.reason !== 'guest-shutdown' || reached !== 'init') return undefined
  const said = console.split('\n').findLast(line => line.startsWith('xcluster: '))
  const [, words] = /^xcluster: (the .*)/.exec(said ?? '') ?? []
  return words && printable(words, 300)
}

/** The error for a guest that is not ready in time. */
export function bootTimeout(report: ExitReport, ms: number): VmError {
  const reason = withOutput(
    `not ready within ${ms / 1000} s; the last milestone of its boot was '${report.reached}'`,
    report,
  )
  const remedy = 'Read the console log; a busy host may need a longer timeout'
  return new VmError({ code: 'BOOT_TIMEOUT', op: 'boot', target: report.name, reason, remedy })
}

function exitText({ exit, monitor = 'closed' }: ExitReport): string {
  if (exit?.signal) return `was killed by ${exit.signal}`
  return exit ? `exited with status ${exit.code}` : `lost its monitor (${monitor})`
}

/** Characters of a line that is quoted. */
const longestLine = 200

/** The first sentence, then the last output of QEMU and of the console, indented. */
function withOutput(what: string, { stderr, console }: ExitReport): string {
  const block = (title: string, text: string) =>
    text.trim()
      ? [
          `${title}:`,
          ...text
            .trim()
            .split('\n')
            .map(line => `  ${printable(line, longestLine)}`),
        ]
      : []
  return [
    what,
    ...block('QEMU said', stderr.split('\n').slice(-8).join('\n')),
    ...block("the console's last lines", console),
  ].join('\n')
}
