const ownDirectory = 'Use directories that you may write to: XDG_RUNTIME_DIR, XDG_STATE_HOME, XDG_CACHE_HOME'
const room = 'Free some space on that file system, or use another (XDG_STATE_HOME, XDG_CACHE_HOME)'

/** Failures that are of the machine and not of the program, with what to do about each. */
export const remedies: Readonly<Record<string, string>> = {
  EACCES: ownDirectory,
  EPERM: ownDirectory,
  EROFS: ownDirectory,
  ENOSPC: room,
  EDQUOT: room,
  EMFILE: 'Allow this user more open files (ulimit -n), or run smaller clusters',
  ENFILE: 'Close other programs, or let the kernel open more files (sysctl fs.file-max)',
  ENOMEM: 'Free some memory, or run smaller clusters',
  ENAMETOOLONG: 'Use shorter paths: XDG_RUNTIME_DIR, XDG_STATE_HOME, XDG_CACHE_HOME',
  ENOTDIR: 'A file is where a directory is needed: move it away, or use other directories (XDG_STATE_HOME …)',
  ELOOP: 'Remove the circle of symbolic links',
  EIO: 'Check the disk: the kernel log has details',
}

/** What to do when the machine has no more of what a system call needs: files, memory, room. Undefined for other errors. */
export function shortageRemedy(errnoName: string): string | undefined {
  return ['EMFILE', 'ENFILE', 'ENOMEM', 'ENOSPC', 'EDQUOT'].includes(errnoName)
    ? remedies[errnoName]
    : undefined
}

/** What to do about a failure of Node's that means: no more files or memory. It is the same whatever was being done. */
export function exhaustionRemedy(failure: unknown): string | undefined {
  const { code = '', syscall } = failure instanceof Error ? (failure as NodeJS.ErrnoException) : {}
  return syscall !== undefined && ['EMFILE', 'ENFILE', 'ENOMEM'].includes(code) ? remedies[code] : undefined
}
