import type { Socket } from 'node:net'
import type { Port, PortReceiver } from '../../base/index.ts'
import { closed, isSyscallFailure, refused, SysError } from '../errors.ts'

/** A port over a connection of Node's, by TCP or a unix socket. It carries no file descriptors. */
export class SocketPort implements Port {
  readonly #socket: Socket
  #receiver: PortReceiver | undefined
  #closing: Promise<void> | undefined

  /** Takes over the socket, which is connected. */
  constructor(socket: Socket) {
    this.#socket = socket
    socket.setNoDelay(true)
    socket.on('error', failure => this.#end(failure))
  }

  receive(receiver: PortReceiver): void {
    if (this.#closing !== undefined) throw closed('stream')
    this.#receiver = receiver
    this.#socket.on('data', bytes => this.#receiver?.data(bytes))
    this.#socket.on('end', () => this.#end()).on('close', () => this.#end())
    if (this.#socket.destroyed) this.#end()
  }

  send(bytes: Uint8Array, fds: readonly number[] = []): void {
    if (this.#closing !== undefined) throw closed('stream')
    if (fds.length > 0) throw noDescriptors()
    if (this.#socket.writable) this.#socket.write(bytes)
  }

  close(): Promise<void> {
    this.#receiver = undefined
    this.#closing ??= new Promise(resolve => {
      if (this.#socket.closed) return resolve()
      this.#socket.once('close', () => resolve())
      this.#socket.destroy()
    })
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #end(failure?: Error): void {
    const receiver = this.#receiver
    this.#receiver = undefined
    const known = isSyscallFailure(failure) ? refused('receive', 'stream', failure) : failure
    // The peer ended before it read all bytes: that is an ordinary end.
    const reset = known instanceof SysError && known.errnoName === 'ECONNRESET'
    receiver?.end(reset ? undefined : known)
  }
}

function noDescriptors(): SysError {
  const reason = 'only a unix socket that this program connected carries them'
  return new SysError({
    code: 'NO_DESCRIPTORS',
    kind: 'usage',
    op: 'send file descriptors over',
    target: 'a connection',
    reason,
    remedy: 'Use a socket pair, or let QEMU listen on a unix socket',
  })
}
