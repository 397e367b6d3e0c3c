/** What arrives at a {@link Port}. */
export interface PortReceiver {
  /** One datagram, or the next piece of a stream, and the file descriptors that came with it (now ours). */
  data(bytes: Uint8Array, fds?: readonly number[]): void
  /** The other side is gone, or the port failed. Called once; nothing follows. */
  end(failure?: Error): void
}

/**
 * A door for bytes: a netlink socket (a message a call), a stream to a monitor or a guest agent. Protocols are
 * written against this, so that a test can stand on the other side with our own codecs.
 */
export interface Port extends AsyncDisposable {
  /** Who gets what arrives; set once, before anything is sent. What arrived earlier is kept for it. */
  receive(receiver: PortReceiver): void
  /** Sends one datagram or a piece of the stream, in order. `fds` travel with its first byte (SCM_RIGHTS). */
  send(bytes: Uint8Array, fds?: readonly number[]): void
  close(): Promise<void>
}
