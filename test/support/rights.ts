import type { Identity } from '../../src/sys/index.ts'

/** The kernel suites run as root and, by test/kernel/rootless, as an unprivileged user. */
export const isRoot = process.geteuid!() === 0

/** `needsRoot(skip)` begins a test of what only root can do. */
export function needsRoot(skip: (condition: boolean, reason: string) => void): void {
  skip(!isRoot, 'it takes root')
}

/** The user to run programs as: user id 65534 for root; an unprivileged user can only use its own id. */
export const unprivileged: Identity = isRoot
  ? { uid: 65534, gid: 65534, groups: [36, 107] }
  : { uid: process.getuid!(), gid: process.getgid!(), groups: [] }
