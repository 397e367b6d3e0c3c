import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { messageOf } from '../base/index.ts'
import { SysError } from './errors.ts'

/**
 * The result of `receive`: `length` of the message (more than the buffer holds when `truncated`), 0 at the
 * end of a stream.
 */
export interface Received {
  readonly length: number
  readonly truncated: boolean
  /** Netlink only: the port id of the sender, 0 for the kernel. */
  readonly sender?: number
  readonly fds?: number[]
}

declare const poll: unique symbol
/** An open uv_poll, see native/addon/poll.c. */
export interface Poll {
  readonly [poll]: true
}

/**
 * The addon's functions, one per system call or indivisible group. They throw `SyscallFailure`s. `namespace`
 * is the fd of a network namespace, or -1 for this process's own.
 */
export interface Binding {
  readonly abi: number
  /** Returns the network namespace and, when `rootless`, the user namespace that owns it. */
  createNamespace(rootless: boolean): [network: number, user?: number]
  openIn(namespace: number, path: string, flags: number): number
  socketIn(namespace: number, domain: number, type: number, protocol: number): number
  openTaps(namespace: number, names: readonly string[], flags: number): number[]
  receive(fd: number, into: Uint8Array): Received | undefined
  send(fd: number, bytes: Uint8Array, fds?: readonly number[]): number | undefined
  bindNetlink(fd: number): number
  setOption(fd: number, level: number, option: number, value: number): void
  socketPair(type: number): [number, number]
  connectUnix(path: string): number
  peerCredentials(fd: number): { pid: number; uid: number; gid: number }
  createMemfd(name: string): number
  addSeals(fd: number, seals: number): void
  flock(fd: number, operation: number): void
  duplicate(fd: number): number
  mount(source: string, target: string, flags: number): void
  unmount(target: string): void
  bindAddress(fd: number, address: Uint8Array): void
  receiveBatch(fd: number, slots: Uint8Array): number
  sendBatch(fd: number, slots: Uint8Array, count: number): number
  pollOpen(fd: number, ready: (status: number, events: number) => void): Poll
  pollWatch(poll: Poll, events: number): void
  pollClose(poll: Poll, closed: () => void): void
}

/** The version of the addon's interface that this code is written for: XCLUSTER_ABI in native/addon/addon.h. */
const abi = 2
const remedy = 'Run: npm run build'

/** The path of a file that node-gyp builds. The package's root is two folders up, from src/ as from dist/. */
function artefact(name: string): string {
  return fileURLToPath(new URL(`../../build/Release/${name}`, import.meta.url))
}

/** The path of the launcher. Throws LAUNCHER_MISSING. */
export function launcherPath(path = artefact('xcluster-launcher')): string {
  if (existsSync(path)) return path
  const reason = 'the launcher has not been built'
  throw new SysError({
    code: 'LAUNCHER_MISSING',
    kind: 'prerequisite',
    op: 'find',
    target: path,
    reason,
    remedy,
  })
}

/**
 * Loads an addon and checks that it has the version this code is written for. Throws ADDON_MISSING and
 * ADDON_STALE.
 */
export function loadBinding(path: string): Binding {
  const about = { kind: 'prerequisite', op: 'load', target: path, remedy } as const
  if (!existsSync(path))
    throw new SysError({ ...about, code: 'ADDON_MISSING', reason: 'the native addon has not been built' })
  let loaded: Binding
  try {
    loaded = createRequire(import.meta.url)(path)
  } catch (cause) {
    const reason = `the native addon cannot be loaded on this machine: ${messageOf(cause)}`
    throw new SysError({ ...about, code: 'ADDON_STALE', reason, cause })
  }
  if (loaded.abi === abi) return loaded
  const reason = `the native addon has interface version ${loaded.abi}, and this code needs ${abi}`
  throw new SysError({ ...about, code: 'ADDON_STALE', reason })
}

let loaded: Binding | undefined

/** The addon. It is loaded at the first use, so that code without system calls works without it. */
export function binding(): Binding {
  loaded ??= loadBinding(artefact('xcluster.node'))
  return loaded
}
