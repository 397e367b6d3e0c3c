import { messageOf } from '../base/index.ts'
import { artefact, remedy } from './artefacts.ts'
import { announce } from './copies.ts'
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
  /** Microseconds since 1970, with SO_TIMESTAMPNS. */
  readonly at?: number
  /** A VLAN tag that the kernel took out of the frame, with PACKET_AUXDATA: protocol << 16 | TCI. */
  readonly vlan?: number
}

declare const poll: unique symbol
/** An open uv_poll, see native/addon/poll.c. */
export interface Poll {
  readonly [poll]: true
}

/**
 * The addon's functions, one per system call or indivisible group. They throw `SyscallFailure`s. `namespace`
 * is the fd of a network namespace, or -1 for this process's own. Descriptors that they return are closed by `close`, and
 * when a worker thread ends without doing so.
 */
export interface Binding {
  readonly abi: number
  /** Returns the network namespace and, when `rootless`, the user namespace that owns it. */
  createNamespace(rootless: boolean): [network: number, user?: number]
  openIn(namespace: number, path: string, flags: number): number
  /** A failure's `index` is that of the path. */
  writeIn(namespace: number, paths: readonly string[], text: string): void
  socketIn(namespace: number, domain: number, type: number, protocol: number): number
  /** All or none, in a thread of its own. A failure's `index` is that of the name. */
  openTaps(namespace: number, names: readonly string[], flags: number): Promise<number[]>
  receive(fd: number, into: Uint8Array, flags: number): Received | undefined
  send(fd: number, bytes: Uint8Array, fds?: readonly number[]): number | undefined
  bindNetlink(fd: number): number
  setOption(fd: number, level: number, option: number, value: number): void
  socketPair(type: number): [number, number]
  connectUnix(path: string): number
  getOption(fd: number, level: number, option: number, into: Uint8Array): number
  createMemfd(name: string): number
  addSeals(fd: number, seals: number): void
  flock(fd: number, operation: number): void
  duplicate(fd: number): number
  mount(source: string, target: string, flags: number): void
  unmount(target: string): void
  bindAddress(fd: number, address: Uint8Array): void
  receiveBatch(fd: number, slots: Uint8Array): number
  sendBatch(fd: number, slots: Uint8Array, count: number): number
  createEpoll(): number
  askUdp(epoll: number, fd: number, address: Uint8Array, question: Uint8Array): number
  releaseUdp(fd: number): void
  receiveReady(epoll: number, slots: Uint8Array): number
  /** Something else closes it from now on. */
  disown(fd: number): void
  close(fd: number): void
  closeInPool(fd: number): Promise<void>
  pollOpen(fd: number, ready: (status: number, events: number) => void): Poll
  pollWatch(poll: Poll, events: number): void
  pollClose(poll: Poll, closed: () => void): void
}

/** The version of the addon's interface that this code is written for: XCLUSTER_ABI in native/addon/addon.h. */
const abi = 7

/** The path of the launcher. Throws ARTEFACT_MISSING and ARTEFACT_DAMAGED. */
export function launcherPath(): string {
  launcher ??= artefact('xcluster-launcher')
  return launcher
}

/** The path of what QEMU loads (native/qemu/trim.c). Throws ARTEFACT_MISSING and ARTEFACT_DAMAGED. */
export function qemuPreloadPath(): string {
  preload ??= artefact('xcluster-qemu.so')
  return preload
}

/**
 * Loads an addon and checks that it has the version this code is written for. Throws ADDON_STALE, ADDON_REFUSED and
 * GLIBC_OLD.
 */
export function loadBinding(path: string, wanted = abi): Binding {
  const about = { kind: 'prerequisite', op: 'load', target: path, remedy } as const
  const addon = { exports: {} as Binding }
  try {
    process.dlopen(addon, path)
  } catch (cause) {
    throw refusal(path, cause)
  }
  const has = addon.exports.abi
  if (has === wanted) return addon.exports
  const reason = `the native addon has interface version ${has}, and this code needs ${wanted}`
  throw new SysError({ ...about, code: 'ADDON_STALE', reason })
}

/** In the words of the dynamic loader. */
function refusal(path: string, cause: unknown): SysError {
  const words = messageOf(cause)
  const about = { kind: 'prerequisite', op: 'load', target: path, cause } as const
  const [, needed] = /version [`']GLIBC_([\d.]+)' not found/.exec(words) ?? []
  if (needed === undefined) {
    const reason = `the native addon cannot be loaded on this machine: ${words}`
    return new SysError({ ...about, code: 'ADDON_REFUSED', reason, remedy })
  }
  const reason = `the native addon needs glibc ${needed}, and this system has ${glibcVersion()}`
  return new SysError({
    ...about,
    code: 'GLIBC_OLD',
    reason,
    remedy: `${remedy} --build, or use a newer system`,
  })
}

/** Of the C library that runs this process. */
function glibcVersion(): string {
  const { header } = process.report.getReport() as { header?: { glibcVersionRuntime?: string } }
  return header?.glibcVersionRuntime ?? 'another C library'
}

let loaded: Binding | undefined
let launcher: string | undefined
let preload: string | undefined

/** The addon. It is loaded at the first use, so that code without system calls works without it. */
export function binding(): Binding {
  if (loaded) return loaded
  loaded = loadBinding(artefact('xcluster.node'))
  announce()
  return loaded
}

/** Why a native file does not fit this machine, in words. Undefined when all of them do. */
export function nativeMisfit(): string | undefined {
  try {
    for (const name of ['xcluster-launcher', 'xcluster-qemu.so', 'xcluster-guest'] as const) artefact(name)
    loadBinding(artefact('xcluster.node'))
    return undefined
  } catch (failure) {
    if (failure instanceof SysError) return failure.reason
    throw failure
  }
}
