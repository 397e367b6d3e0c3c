import { errnoText } from './errno.ts'
import { firstFailure, messageOf, XclusterError } from './errors.ts'
import { remedies } from './remedies.ts'

/** What system calls do, where their names do not say it. */
const deeds: Readonly<Record<string, string>> = {
  mkdir: 'make directory',
  mkdtemp: 'make directory',
  scandir: 'list directory',
  rmdir: 'remove directory',
  unlink: 'remove',
  lstat: 'look at',
  stat: 'look at',
  chmod: 'change the mode of',
  utime: 'change the times of',
}

/** Numbers that differ from what {@link errnoText} has: it lists those of netlink. */
const texts: Readonly<Record<string, string>> = { EDQUOT: 'Disk quota exceeded' }

/**
 * The error for a system call of Node's that failed because of the machine: `make directory /run/x: Read-only file
 * system`. Undefined for all else, which is a fault of this program.
 */
export function systemFailure(thrown: unknown): XclusterError | undefined {
  if (!(thrown instanceof Error) || thrown instanceof XclusterError) return undefined
  const { code = '', errno, syscall, path, dest } = thrown as NodeJS.ErrnoException & { dest?: string }
  const remedy = remedies[code]
  if (remedy === undefined || errno === undefined || syscall === undefined) return undefined
  return new XclusterError({
    code: 'SYSTEM_REFUSED',
    kind: 'prerequisite',
    op: deeds[syscall] ?? syscall,
    target: [path, dest].filter(Boolean).join(' to ') || 'a file',
    reason: texts[code] ?? errnoText(errno),
    remedy,
    cause: thrown,
  })
}

/** Why something failed, for an error that says what: the kernel's words, without Node's code, system call and path. */
export function reasonOf(thrown: unknown): string {
  const first = firstFailure(thrown)
  if (first instanceof XclusterError) return first.reason
  const { code = '', errno, syscall } = first instanceof Error ? (first as NodeJS.ErrnoException) : {}
  return errno === undefined || syscall === undefined ? messageOf(first) : (texts[code] ?? errnoText(errno))
}
