import { lstatSync } from 'node:fs'
import type { Socket } from 'node:net'
import { type Clock, onAbort, type Port, systemClock, until } from '../../base/index.ts'
import { isSyscallFailure, refused, SysError } from '../errors.ts'
import { Appearance, type Wait } from './appearance.ts'
import { SocketPort } from './socket-port.ts'
import { connectStream } from './stream-port.ts'

/** Where a stream is listened for: the path of a unix socket, or a TCP address. */
export type StreamPlace = string | { readonly host: string; readonly port: number }

export interface ConnectWait {
  /** 0: the listener must be there. */
  readonly withinMs: number
  readonly signal?: AbortSignal | undefined
  readonly clock?: Clock
}

/**
 * Connects as soon as there is a listener. The kernel reports when a path appears; a socket that exists, and a TCP port,
 * are tried every 20 ms. Throws the last refusal, also when the signal has aborted.
 */
export async function connectWhenReady(place: StreamPlace, options: ConnectWait): Promise<Port> {
  const { withinMs, signal, clock = systemClock } = options
  const wait: Wait = { clock, end: clock.now() + withinMs, signal }
  let last: unknown
  const look = async () => {
    try {
      return typeof place === 'string' ? await connectPath(place, wait) : await connectTcp(place, wait)
    } catch (failure) {
      if (!hasErrno(failure, ['ENOENT', 'ECONNREFUSED', 'EAGAIN'])) throw failure
      last = failure
      return undefined
    }
  }
  const port = await until(clock, look, { everyMs: 20, withinMs, signal, why: 'listener' })
  if (!port) throw last
  return port
}

async function connectPath(path: string, wait: Wait): Promise<Port> {
  const left = () => Math.max(0, wait.end - wait.clock.now())
  const connect = () => connectStream(path, { timeoutMs: Math.min(left(), 1000), clock: wait.clock })
  if (isThere(path)) return connect()
  for (;;) {
    const appearance = Appearance.of(path)
    try {
      return await connect()
    } catch (failure) {
      if (!appearance || !hasErrno(failure, ['ENOENT'])) throw failure
      if (!(await appearance.changed(wait))) throw failure
    } finally {
      appearance?.close()
    }
  }
}

/** What one attempt may take, also where the listener must be there at once. */
const leastMs = 50

async function connectTcp(place: { host: string; port: number }, wait: Wait): Promise<Port> {
  const { connect } = await import('node:net')
  const target = `${place.host}:${place.port}`
  const socket = connect(place)
  // After what the kernel has answered by then, which libuv reads between timers and this.
  const giveUp = () => void setImmediate(() => socket.connecting && socket.destroy(timedOut(target)))
  const leave = onAbort(wait.signal, giveUp)
  const cancel = wait.clock.after(Math.max(leastMs, wait.end - wait.clock.now()), giveUp)
  try {
    await connected(socket)
    return new SocketPort(socket)
  } catch (failure) {
    throw isSyscallFailure(failure) ? refused('connect to', target, failure) : failure
  } finally {
    cancel()
    leave()
  }
}

/** Also a link that leads nowhere yet: what it leads to is elsewhere, so no watch here would report it. */
function isThere(path: string): boolean {
  try {
    return lstatSync(path) !== undefined
  } catch {
    return false
  }
}

function connected(socket: Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('error', reject)
    socket.once('connect', () => {
      socket.off('error', reject)
      resolve()
    })
  })
}

function timedOut(target: string): SysError {
  return new SysError({ code: 'SYSCALL_FAILED', op: 'connect to', target, reason: 'it does not answer' })
}

function hasErrno(failure: unknown, names: readonly string[]): boolean {
  return failure instanceof SysError && names.includes(failure.errnoName ?? '')
}
