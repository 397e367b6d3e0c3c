import type { Identity } from '../../src/sys/index.ts'

/**
 * Kernel suites run as root and, through test/kernel/rootless, as an unprivileged user: the same tests,
 * except for those that need root.
 */
export const isRoot = process.geteuid!() === 0

/** `needsRoot(skip)` begins a test that only root can run. */
export function needsRoot(skip: (condition: boolean, reason: string) => void): void {
  skip(!isRoot, 'it needs root')
}

/** The user for unprivileged programs: for root it is nobody, for other users only themselves. */
export const unprivileged: Identity = isRoot
  ? { uid: 65534, gid: 65534, groups: [36, 107] }
  : { uid: process.getuid!(), gid: process.getgid!(), groups: [] }
