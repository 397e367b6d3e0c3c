/** Takes what arrives at a {@link Port}. */
export interface PortReceiver {
  /**
   * One datagram, or the next piece of a stream, and the file descriptors that came with it (now the
   * receiver's). True when this process had asked for as much, so that it is not what a peer floods it with.
   */
  data(bytes: Uint8Array, fds?: readonly number[]): unknown
  /** The peer has closed, or the port failed. Called once; nothing follows. */
  end(failure?: Error): void
}

/**
 * A channel for bytes: a netlink socket (one message a call), or a stream to a QEMU monitor or guest agent.
 * Protocols are written against this, so that a test can be the peer, with the project's own codecs.
 */
export interface Port extends AsyncDisposable {
  /** Sets the receiver of what arrives; once, before anything is sent. What arrived earlier is kept for it. */
  receive(receiver: PortReceiver): void
  /** Sends one datagram or one piece of the stream, in order. `fds` travel with its first byte (SCM_RIGHTS). */
  send(bytes: Uint8Array, fds?: readonly number[]): void
  close(): Promise<void>
}
