import { XclusterError } from './errors.ts'

/** The directories of one user, as the environment and the XDG base directory specification give them. */
export interface Places {
  /** One directory per running cluster in it: the owner's lock and socket. Gone after a reboot. */
  readonly runtime: string
  /** Logs that outlive a cluster: the owner's and the consoles'. */
  readonly state: string
  /** What can be made again: guest images, fetched packages, the accelerator's verdict. */
  readonly cache: string
}

type Environment = Readonly<Record<string, string | undefined>>

/** Where things are. Root without XDG_RUNTIME_DIR uses /run; others a directory of their own under TMPDIR. */
export function places(env: Environment, uid: number): Places {
  const home = env.HOME || (uid === 0 ? '/root' : '/')
  return {
    runtime: env.XDG_RUNTIME_DIR
      ? `${env.XDG_RUNTIME_DIR}/xcluster`
      : uid === 0
        ? '/run/xcluster'
        : `${env.TMPDIR || '/tmp'}/xcluster-${uid}`,
    state: `${env.XDG_STATE_HOME || `${home}/.local/state`}/xcluster`,
    cache: `${env.XDG_CACHE_HOME || `${home}/.cache`}/xcluster`,
  }
}

/** Where programs are looked for; a PATH that is not set or empty means the usual directories. */
export function searchPath(env: Environment): string {
  return env.PATH || '/usr/local/bin:/usr/bin:/bin'
}

/** Where one cluster's things are. */
export interface ClusterPlaces {
  /** 0700; there as long as the cluster is. */
  readonly directory: string
  /** Held by flock for the owner's life: who can take it knows that the cluster is gone. */
  readonly lock: string
  readonly socket: string
  readonly logs: string
  readonly ownerLog: string
}

/**
 * The file in a runtime directory that says how a network namespace was before it forwarded packets for clusters. It
 * is there as long as something is to be put back.
 */
export function forwardingRecord(runtime: string, inode: number): string {
  return `${runtime}/forwarding-${inode}`
}

/** What a cluster may be called: part of paths, and of a socket's path, which must be short. */
export const namePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$/

/** Where the cluster `name` keeps its lock, socket and logs. Refuses what is no name for a cluster. */
export function clusterPlaces(at: Places, name: string): ClusterPlaces {
  if (!namePattern.test(name)) throw badName(name)
  const directory = `${at.runtime}/${name}`
  const logs = `${at.state}/${name}`
  const socket = `${directory}/owner.sock`
  if (new TextEncoder().encode(socket).length > socketPathLimit) throw tooLong(socket)
  return { directory, lock: `${directory}/lock`, socket, logs, ownerLog: `${logs}/owner.log` }
}

/** `sun_path` of unix(7) less its NUL. */
const socketPathLimit = 107

function badName(name: string): XclusterError {
  return new XclusterError({
    code: 'CLUSTER_NAME',
    kind: 'usage',
    reason: `'${name}' is not a name for a cluster`,
    remedy: "Use up to 32 letters, digits, '-', '_' and '.', beginning with a letter or digit",
  })
}

function tooLong(socket: string): XclusterError {
  return new XclusterError({
    code: 'SOCKET_PATH_LONG',
    kind: 'usage',
    target: socket,
    reason: `a unix socket's path has at most ${socketPathLimit} bytes`,
    remedy: 'Use a shorter --name or XDG_RUNTIME_DIR',
  })
}
