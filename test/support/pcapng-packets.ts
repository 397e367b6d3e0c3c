import { packetHead, packetSize, sealPacket } from '../../src/net/capture/pcapng.ts'

/** Frames as the blocks of a capture file. */
export function pcapngPackets(
  frames: readonly { readonly link: number; readonly at: number; readonly bytes: Uint8Array }[],
): Uint8Array {
  const into = new Uint8Array(frames.reduce((sum, { bytes }) => sum + packetSize(bytes.length), 0)).fill(7)
  let start = 0
  for (const { link, at, bytes } of frames) {
    into.set(bytes, start + packetHead)
    start = sealPacket(new DataView(into.buffer), start, {
      link,
      at,
      length: bytes.length,
      original: bytes.length,
    })
  }
  return into
}
