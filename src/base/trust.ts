import { isSystemError, XclusterError } from './errors/errors.ts'
import type { Places } from './places.ts'

/** A component of a path, as lstat(2) and readlink(2) describe it. */
export interface SeenPath {
  readonly uid: number
  readonly gid: number
  readonly mode: number
  /** Where a symbolic link leads. */
  readonly target?: string
}

/** The process that is going to use a directory. */
export interface PathUser {
  readonly uid: number
  /** True in a user namespace that does not map all users: root outside then shows as {@link overflowUid}. */
  readonly partlyMapped: boolean
  /** Undefined for a path that does not exist. */
  look(path: string): SeenPath | undefined
}

/** A path that can be changed by another user, and why. */
interface Weakness {
  readonly path: string
  readonly reason: string
}

/** user_namespaces(7) */
const overflowUid = 65534
/** More symbolic links than this are a circle, as in the kernel (path_resolution(7)). */
const maxLinks = 40

/**
 * Throws PLACE_UNSAFE unless this user, or root, controls the whole path: each existing component belongs to one of
 * them, and others cannot write to it. Else another user could replace what is below. As in tmux and ssh, a directory
 * above may be open to all if it is sticky, like /tmp. What does not exist yet will be made for this user alone.
 */
export function requireTrusted(kind: keyof Places, path: string, user: PathUser): void {
  const weakness = weaknessOf(path, user, { links: 0 })
  if (weakness) throw unsafe(kind, weakness)
}

/** The part of node:fs that looks at a path. */
export type PathFiles = Pick<typeof import('node:fs'), 'lstatSync' | 'readFileSync' | 'readlinkSync'>

/** Says how another user could change the file or directory at a path; undefined when none can. */
export function weaknessBy(files: PathFiles, uid: number): (path: string) => string | undefined {
  return path => {
    const weakness = weaknessOf(path, userOf(files, uid), { links: 0 })
    return weakness && (weakness.path === path ? weakness.reason : `${weakness.path}: ${weakness.reason}`)
  }
}

/** {@link requireTrusted} for the process with this user, through its own file system. */
export function trustBy(files: PathFiles, uid: number): (kind: keyof Places, path: string) => void {
  return (kind, path) => requireTrusted(kind, path, userOf(files, uid))
}

function userOf(files: PathFiles, uid: number): PathUser {
  const map = files.readFileSync('/proc/self/uid_map', 'latin1').trim().split(/\s+/).join(' ')
  return { uid, partlyMapped: map !== '0 0 4294967295', look: path => seenBy(files, path) }
}

function seenBy(files: PathFiles, path: string): SeenPath | undefined {
  try {
    const found = files.lstatSync(path)
    const { uid, gid, mode } = found
    return { uid, gid, mode, ...(found.isSymbolicLink() && { target: files.readlinkSync(path) }) }
  } catch (failure) {
    if (isSystemError(failure, 'ENOENT', 'ENOTDIR', 'EACCES')) return undefined // using it gives the reason
    throw failure
  }
}

function weaknessOf(path: string, user: PathUser, walked: { links: number }): Weakness | undefined {
  const names = path.split('/').filter(Boolean)
  for (let count = 0; count <= names.length; count++) {
    const at = `/${names.slice(0, count).join('/')}`
    const seen = user.look(at)
    if (!seen) return undefined
    if (!isOurs(seen.uid, user)) return { path: at, reason: `it belongs to another user (${seen.uid})` }
    if (seen.target !== undefined) {
      if (++walked.links > maxLinks) return { path: at, reason: 'its symbolic links lead in a circle' }
      const rest = names.slice(count).join('/')
      return weaknessOf(`${resolved(at, seen.target)}/${rest}`, user, walked)
    }
    const reason = openness(seen, user, count === names.length)
    if (reason) return { path: at, reason }
  }
  return undefined
}

function isOurs(uid: number, { uid: ours, partlyMapped }: PathUser): boolean {
  return uid === ours || uid === 0 || (partlyMapped && uid === overflowUid)
}

/** A group with the number of its user is that user's alone, as Debian makes them. */
function openness({ mode, uid, gid }: SeenPath, user: PathUser, isLast: boolean): string | undefined {
  if ((mode & 0o1000) !== 0 && !isLast) return undefined
  const octal = (mode & 0o7777).toString(8).padStart(4, '0')
  if ((mode & 0o002) !== 0) return `every user can write to it (mode ${octal})`
  const isPrivateGroup = gid === 0 || (gid === uid && uid === user.uid)
  return (mode & 0o020) !== 0 && !isPrivateGroup ? `group ${gid} can write to it (mode ${octal})` : undefined
}

/** Absolute, without `.` and `..`: what `..` leads to has been checked on the way, because `at` has no links before it. */
function resolved(at: string, target: string): string {
  const { pathname } = new URL(target.split('/').map(encodeURIComponent).join('/'), `file://${encodeURI(at)}`)
  return decodeURIComponent(pathname)
}

const variables = { runtime: 'XDG_RUNTIME_DIR', state: 'XDG_STATE_HOME', cache: 'XDG_CACHE_HOME' } as const

function unsafe(kind: keyof Places, { path, reason }: Weakness): XclusterError {
  return new XclusterError({
    code: 'PLACE_UNSAFE',
    kind: 'prerequisite',
    op: `use ${kind} directory`,
    target: path,
    reason: `${reason}, and could replace what is below it`,
    remedy: `Set ${variables[kind]} to a directory of your own (with sudo: do not pass on that of another user), or make ${path} yours with mode 0700`,
  })
}
