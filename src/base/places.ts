import { XclusterError } from './errors/errors.ts'
import { settingText } from './errors/setting-text.ts'

/** The directories of one user, from the environment and the XDG base directory specification. */
export interface Places {
  /** Has one directory for each running cluster: the owner's lock and socket. Gone after a reboot. */
  readonly runtime: string
  /** Logs that outlive a cluster: those of the owner and of the consoles. */
  readonly state: string
  /** Files that can be made again: guest images, fetched packages, the result of the accelerator check. */
  readonly cache: string
}

type Environment = Readonly<Record<string, string | undefined>>

/**
 * The directories of user `uid`. Without XDG_RUNTIME_DIR root uses /run, and other users a directory of their
 * own under TMPDIR. A variable whose path is not absolute counts as not set, as the specification demands.
 */
export function places(env: Environment, uid: number): Places {
  const path = (name: string) => (env[name]?.startsWith('/') ? env[name] : undefined)
  const home = path('HOME') ?? (uid === 0 ? '/root' : '/')
  const runtime = path('XDG_RUNTIME_DIR') ?? (uid === 0 ? '/run' : undefined)
  return {
    runtime: runtime === undefined ? `${path('TMPDIR') ?? '/tmp'}/xcluster-${uid}` : `${runtime}/xcluster`,
    state: `${path('XDG_STATE_HOME') ?? `${home}/.local/state`}/xcluster`,
    cache: `${path('XDG_CACHE_HOME') ?? `${home}/.cache`}/xcluster`,
  }
}

/** Where programs are looked for; a PATH that is not set or empty means the usual directories. */
export function searchPath(env: Environment): string {
  return env.PATH || '/usr/local/bin:/usr/bin:/bin'
}

/** The directories and files of one cluster. */
export interface ClusterPlaces {
  /** Mode 0700. It exists as long as the cluster does. */
  readonly directory: string
  /** Held by flock for the owner's life: if you can lock it, the cluster is gone. */
  readonly lock: string
  readonly socket: string
  readonly logs: string
  readonly ownerLog: string
}

/**
 * The file in a runtime directory that records how a network namespace was before it forwarded packets for
 * clusters. It exists as long as there is something to restore.
 */
export function forwardingRecord(runtime: string, inode: number): string {
  return `${runtime}/forwarding-${inode}`
}

/** A valid cluster name. It becomes part of paths, among them that of a unix socket, which must be short. */
export const namePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$/

/**
 * The lock, socket and logs of the cluster `name`. Throws `CLUSTER_NAME` for an invalid name and
 * `SOCKET_PATH_LONG` when the socket's path would be too long.
 */
export function clusterPlaces(at: Places, name: string): ClusterPlaces {
  if (!namePattern.test(name)) throw badName(name)
  const directory = `${at.runtime}/${name}`
  const logs = `${at.state}/${name}`
  const socket = `${directory}/owner.sock`
  if (new TextEncoder().encode(socket).length > socketPathLimit) throw tooLong(socket)
  return { directory, lock: `${directory}/lock`, socket, logs, ownerLog: `${logs}/owner.log` }
}

/** The size of unix(7)'s `sun_path` without its NUL. */
const socketPathLimit = 107

function badName(name: string): XclusterError {
  return new XclusterError({
    code: 'CLUSTER_NAME',
    kind: 'usage',
    reason: `'${name}' is not a valid cluster name`,
    remedy: "Use up to 32 letters, digits, '-', '_' and '.', beginning with a letter or digit",
  })
}

function tooLong(socket: string): XclusterError {
  return new XclusterError({
    code: 'SOCKET_PATH_LONG',
    kind: 'usage',
    target: socket,
    reason: `the path of a unix socket can have at most ${socketPathLimit} bytes`,
    remedy: `Use a shorter ${settingText('name')} or XDG_RUNTIME_DIR`,
  })
}
