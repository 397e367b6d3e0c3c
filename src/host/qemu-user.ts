import { readFileSync } from 'node:fs'
import type { Identity } from '../vm/index.ts'

/** Node ids fit in a byte. */
const perCluster = 256
/** A cluster's number is its owner's process id, which is unique among running processes. */
const clusters = 1 << 14

/**
 * The user and group of a node's QEMU. Started by root, each QEMU has a user id of its own, so that QEMUs cannot
 * access one another. An unprivileged user cannot change its user id: QEMU then has the same user, without that
 * user's capabilities in the cluster's namespaces.
 */
export function identityOf(node: number, uidBase: number): Identity {
  const [uid, gid] = [process.getuid!(), process.getgid!()]
  if (uid !== 0) return { uid, gid, groups: process.getgroups!() }
  const id = uidBase + (process.pid % clusters) * perCluster + node
  return isMapped(id, readFileSync('/proc/self/uid_map', 'utf8')) ? { uid: id, gid: id } : overflow
}

/** In a container that maps too few ids all QEMUs share one: the kernel's overflow id (user_namespaces(7)). */
const overflow: Identity = { uid: 65534, gid: 65534 }

/** True when the user namespace maps the id. Lines are `first inside, first outside, count` (user_namespaces(7)). */
export function isMapped(id: number, uidMap: string): boolean {
  return uidMap.split('\n').some(line => {
    const [first, , count] = line.trim().split(/\s+/).map(Number)
    return first !== undefined && count !== undefined && id >= first && id < first + count
  })
}
