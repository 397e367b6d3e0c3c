/** struct slot, native/addon/inet.c: lengths, peer, own address, trains, reply, datagram. */
export const slot = {
  ...{ size: 6208, reply: 64, replySize: 2048, query: 2112, querySize: 4096 },
  ...{ length: 0, replyLength: 4, peer: 8, local: 36, next: 52, follows: 56 },
}
/** The most datagrams that one system call receives, and sends. */
export const batch = 64
/** The most batches in one turn of the event loop, so that a flood does not starve everything else. */
export const mostBatches = 8
