import type { Frame } from './frame.ts'

/** LINKTYPE_ETHERNET (https://www.tcpdump.org/linktypes.html). */
const ethernet = 1
/** The longest possible frame of a segment, since each is a UDP datagram. */
const snapLength = 65_535

/**
 * Frames in the file format of tcpdump and wireshark (pcap-savefile(5)), piece by piece:
 * `writeFile('net1.pcap', pcap(segment.capture()))`.
 */
export async function* pcap(frames: AsyncIterable<Frame> | Iterable<Frame>): AsyncGenerator<Uint8Array> {
  yield fields([0xa1b2c3d4, (4 << 16) | 2, 0, 0, snapLength, ethernet])
  for await (const { at, bytes } of frames) {
    const microseconds = Math.round(at * 1000)
    yield fields([Math.floor(microseconds / 1e6), microseconds % 1e6, bytes.length, bytes.length])
    yield bytes
  }
}

/** In the machine's byte order. The first number shows readers which that is. */
function fields(values: readonly number[]): Uint8Array {
  return new Uint8Array(Uint32Array.from(values).buffer)
}
