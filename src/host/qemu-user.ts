import { readFileSync } from 'node:fs'
import type { Identity } from '../vm/index.ts'

/** Node ids fit in a byte. */
const perCluster = 256
/** Clusters by their owner's process id, which is unique among the living. */
const clusters = 1 << 14

/**
 * The user that a node's QEMU becomes: one that nobody else is, so that QEMUs cannot touch one another. Who is not
 * root can become nobody: it is he himself then, without what he may do in the cluster's namespaces.
 */
export function identityOf(node: number, uidBase: number): Identity {
  const [uid, gid] = [process.getuid!(), process.getgid!()]
  if (uid !== 0) return { uid, gid, groups: process.getgroups!() }
  const id = uidBase + (process.pid % clusters) * perCluster + node
  return isMapped(id, readFileSync('/proc/self/uid_map', 'utf8')) ? { uid: id, gid: id } : nobody
}

/** Where a container maps too few ids, all QEMUs have to be one user. */
const nobody: Identity = { uid: 65534, gid: 65534 }

/** True when the user namespace knows the id: lines of `first inside, first outside, count` (user_namespaces(7)). */
export function isMapped(id: number, uidMap: string): boolean {
  return uidMap.split('\n').some(line => {
    const [first, , count] = line.trim().split(/\s+/).map(Number)
    return first !== undefined && count !== undefined && id >= first && id < first + count
  })
}
