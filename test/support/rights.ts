import type { Identity } from '../../src/sys/index.ts'

/** Kernel suites run as root and, by test/kernel/rootless, as an ordinary user: in the same words, but for these. */
export const isRoot = process.geteuid!() === 0

/** `needsRoot(skip)` begins a test of what others cannot do. */
export function needsRoot(skip: (condition: boolean, reason: string) => void): void {
  skip(!isRoot, 'it takes root')
}

/** Whom programs can be given to: to nobody by root, by others only to themselves. */
export const unprivileged: Identity = isRoot
  ? { uid: 65534, gid: 65534, groups: [36, 107] }
  : { uid: process.getuid!(), gid: process.getgid!(), groups: [] }
