import type { PortReceiver } from '../base/index.ts'
import { type Nft, openNft } from '../nft/index.ts'
import { type NetlinkPort, openRoute, type Route } from '../rtnl/index.ts'
import type { GuestChannel } from './channel.ts'
import type { Asked } from './questions.ts'

/**
 * The kernel of a guest, over the channel to it: netlink, decoded here, and files. What the guest answers may be wrong,
 * and may never come: closing it rejects all that waits.
 */
export class GuestKernel implements AsyncDisposable {
  readonly #channel: GuestChannel
  readonly #open: (Route | Nft)[] = []
  readonly #reads = new Map<() => void, (reason: Error) => void>()

  constructor(channel: GuestChannel) {
    this.#channel = channel
  }

  /** A netlink socket of its own: listings of one socket take turns. */
  route(): Route {
    const route = openRoute({ port: new GuestSocket(this.#channel, 'route') })
    this.#open.push(route)
    return route
  }

  nft(): Nft {
    const nft = openNft({ port: new GuestSocket(this.#channel, 'netfilter') })
    this.#open.push(nft)
    return nft
  }

  /** The content of a file. Undefined when the guest cannot read it. */
  async read(path: string): Promise<string | undefined> {
    const pieces: Uint8Array[] = []
    let drop = () => {}
    try {
      return await new Promise<string | undefined>((resolve, reject) => {
        const end = (failure?: Error) =>
          failure && 'code' in failure
            ? reject(failure)
            : resolve(failure ? undefined : Buffer.concat(pieces).toString('latin1'))
        const piece = (bytes: Uint8Array) => void pieces.push(bytes.slice())
        drop = this.#channel.ask({ kind: 'file', path }, { piece, end })
        this.#reads.set(drop, reject)
      })
    } finally {
      this.#reads.delete(drop)
    }
  }

  async close(): Promise<void> {
    for (const [drop, reject] of this.#reads) {
      drop()
      reject(new Error('closed'))
    }
    await Promise.all(this.#open.map(each => each.close()))
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

/** A netlink socket of a guest's kernel: each datagram has one of its own in the guest, for as long as it is answered. */
class GuestSocket implements NetlinkPort {
  readonly #channel: GuestChannel
  readonly #kind: Exclude<Asked['kind'], 'file'>
  readonly #drops: (() => void)[] = []
  #receiver: PortReceiver | undefined

  constructor(channel: GuestChannel, kind: Exclude<Asked['kind'], 'file'>) {
    this.#channel = channel
    this.#kind = kind
  }

  receive(receiver: PortReceiver): void {
    this.#receiver = receiver
  }

  send(bytes: Uint8Array): void {
    const piece = (datagram: Uint8Array) => void this.#receiver?.data(datagram)
    const end = (failure?: Error) => failure && this.#receiver?.end(failure)
    this.#drops.push(this.#channel.ask({ kind: this.#kind, bytes }, { piece, end }))
  }

  async close(): Promise<void> {
    this.#receiver = undefined
    for (const drop of this.#drops) drop()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}
