import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Duplex } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { systemClock } from '../../src/base/index.ts'
import { GuestChannel } from '../../src/guest/channel.ts'
import { SocketPort } from '../../src/stream/index.ts'
import { isRoot } from './rights.ts'

/** The program that runs in guests. */
export const guestProgram = fileURLToPath(new URL('../../build/Release/xcluster-guest', import.meta.url))

/** The real xcluster-guest as a process of this machine, at the other end of a real channel. */
export class RealGuest implements AsyncDisposable {
  readonly channel: GuestChannel
  readonly socket: Duplex
  readonly #child: ReturnType<typeof spawn>
  readonly #ended: Promise<unknown>

  /** `apart`: in a network namespace of its own. */
  constructor({ restarted = false, apart = false } = {}) {
    const unshared = apart ? `unshare --net${isRoot ? '' : ' --map-root-user'}` : ''
    const words = ['-c', `exec ${unshared} "$0" - ${restarted ? 'restarted' : ''} <&3 3<&-`, guestProgram]
    this.#child = spawn('/bin/sh', words, { stdio: ['ignore', 'inherit', 'inherit', 'pipe'] })
    this.#ended = once(this.#child, 'exit')
    this.socket = this.#child.stdio[3] as Duplex
    this.channel = new GuestChannel(new SocketPort(this.socket), {
      ...{ name: 'vm-001', clock: systemClock, wallClock: Date.now },
      randomBytes: count => crypto.getRandomValues(new Uint8Array(count)),
    })
  }

  get pid(): number {
    return this.#child.pid!
  }

  kill(): void {
    this.#child.kill('SIGKILL')
  }

  /** It ends when its port is closed. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.socket.destroy()
    await this.#ended
  }
}
