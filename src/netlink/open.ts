import { NetNamespace, openNetlink } from '../sys/index.ts'
import { Connection } from './connection.ts'
import { Subscription } from './subscription.ts'
import { take } from './takes.ts'
import type { MessageDecoder } from './trace.ts'
import type { Message } from './wire/index.ts'

export { NetNamespace }

/**
 * `route` for links, addresses and routes (NETLINK_ROUTE); `netfilter` for nf_tables; `generic` for families by name;
 * `sockDiag` for the sockets of programs; `xfrm` for IPsec. Any other NETLINK_* by its number.
 */
export type Protocol = 'route' | 'netfilter' | 'generic' | 'sockDiag' | 'xfrm' | number

export interface OpenOptions {
  /** The network namespace of the socket. Default: that of this process. */
  readonly namespace?: NetNamespace
  /** What traces know of the messages. */
  readonly decoder?: MessageDecoder
}

/** Opens a socket for requests. */
export function connect(protocol: Protocol, options: OpenOptions = {}): Connection {
  checkOpening(protocol, options)
  return new Connection(openNetlink(protocol, options), options)
}

export interface SubscribeOptions<T> extends OpenOptions {
  /** Multicast groups by number (RTNLGRP_*). */
  readonly groups: readonly number[]
  /** Converts a message into an event, or into undefined when it is not wanted. */
  readonly read: (message: Message) => T | undefined
  /** SO_RCVBUF in bytes. Small buffers overrun soon. */
  readonly receiveBuffer?: number
}

/** Opens a socket of its own for multicast events. */
export function subscribe<T>(protocol: Protocol, subscription: SubscribeOptions<T>): Subscription<T> {
  checkOpening(protocol, take(op, subscription, 'subscription'))
  const { read, ...options } = subscription
  return new Subscription(openNetlink(protocol, options), read, options)
}

const op = 'open netlink socket'

function checkOpening(protocol: Protocol, options: OpenOptions): void {
  take(op, protocol, ['protocol', 'protocol'])
  take(op, options, 'opening')
}
