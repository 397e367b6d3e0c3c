/** Numbers of draft-ietf-opsawg-pcapng. The counter of frames in `xc` has those that it reads, too. */
const blockTypes = { section: 0x0a0d0d0a, interface: 1, statistics: 5, packet: 6 } as const
const byteOrderMagic = 0x1a2b3c4d

/** Type and length at the start of a block, and its length once more at the end (§3.1). */
const blockHead = 8
const blockTail = 4
/** Of an enhanced packet block: interface, time in two halves, captured and original length (§4.3). */
export const packetHead = blockHead + 20

/** Options of a section, an interface, and an interface's statistics (§4.1, §4.2, §4.6). */
const options = {
  end: 0,
  application: 4,
  name: 2,
  resolution: 9,
  filter: 11,
  startTime: 2,
  endTime: 3,
  received: 4,
  dropped: 5,
  delivered: 8,
} as const

const padded = (length: number): number => (length + 3) & ~3

/** An interface of a capture file. */
export interface PcapngInterface {
  /** `vm-001/eth1` */
  readonly name: string
  /** The filter of the capture, in the words in which it was given. */
  readonly filter?: string | undefined
}

/** What a block says of the frame in it. */
export interface PcapngPacket {
  /** The number of its interface, from 0 on. */
  readonly link: number
  /** Milliseconds since 1970. The file has microseconds. */
  readonly at: number
  /** Bytes that the file has of it, and those that it had. */
  readonly length: number
  readonly original: number
}

/** What has become of the frames of an interface. */
export interface PcapngStatistics {
  readonly link: number
  /** Milliseconds since 1970. */
  readonly from: number
  readonly to: number
  /** Frames that passed the interface, those that the capture has missed, and those in the file. */
  readonly received: number
  readonly dropped: number
  readonly delivered: number
}

/** LINKTYPE_ETHERNET (https://www.tcpdump.org/linktypes.html). */
const ethernet = 1
/** Bytes of a frame that a file has at most. This is tcpdump's own, its largest. */
export const longestSnap = 262_144
/** Of the time: 10^-6 s. */
const microseconds = 6

/**
 * The beginning of a pcapng file (draft-ietf-opsawg-pcapng): the section and its interfaces, all of Ethernet. Written
 * by `application`. All have one snapshot length: tcpdump 4.99 reads no file in which it differs.
 */
export function pcapngStart(
  interfaces: readonly PcapngInterface[],
  application: string,
  snapLength = longestSnap,
): Uint8Array {
  const section = [u32(byteOrderMagic), u16(1), u16(0), u32(0xffffffff), u32(0xffffffff)]
  return joined([
    block(blockTypes.section, [...section, option(options.application, utf8(application)), endOfOptions]),
    ...interfaces.map(({ name, filter }) =>
      block(blockTypes.interface, [
        ...[u16(ethernet), u16(0), u32(snapLength), option(options.name, utf8(name))],
        option(options.resolution, Uint8Array.of(microseconds)),
        ...(filter === undefined ? [] : [option(options.filter, joined([Uint8Array.of(0), utf8(filter)]))]),
        endOfOptions,
      ]),
    ),
  ])
}

/** How long the enhanced packet block of a frame of this length is. */
export const packetSize = (length: number): number => packetHead + padded(length) + blockTail

/**
 * Makes an enhanced packet block at `start` of the frame that is {@link packetHead} behind it. Returns where the block
 * ends.
 */
export function sealPacket(
  view: DataView,
  start: number,
  { link, at, length, original }: PcapngPacket,
): number {
  const size = packetSize(length)
  const [high, low] = halves(at)
  const fields = [blockTypes.packet, size, link, high, low, length, original]
  for (let index = 0; index < fields.length; index++) view.setUint32(start + 4 * index, fields[index]!, true)
  for (let at = length; at < padded(length); at++) view.setUint8(start + packetHead + at, 0)
  view.setUint32(start + size - blockTail, size, true)
  return start + size
}

/** The end of the file: for each interface, what has become of its frames. */
export function pcapngEnd(statistics: readonly PcapngStatistics[]): Uint8Array {
  return joined(
    statistics.map(({ link, from, to, received, dropped, delivered }) =>
      block(blockTypes.statistics, [
        ...[u32(link), ...halves(to).map(u32)],
        option(options.startTime, joined(halves(from).map(u32))),
        option(options.endTime, joined(halves(to).map(u32))),
        option(options.received, u64(received)),
        option(options.dropped, u64(dropped)),
        option(options.delivered, u64(delivered)),
        endOfOptions,
      ]),
    ),
  )
}

/** Microseconds since 1970 in two halves of 32 bits, the high one first. */
function halves(at: number): [high: number, low: number] {
  const time = Math.round(at * 1000)
  return [Math.floor(time / 2 ** 32), time % 2 ** 32]
}

function block(type: number, parts: readonly Uint8Array[]): Uint8Array {
  const body = joined(parts)
  const size = u32(blockHead + body.length + blockTail)
  return joined([u32(type), size, body, size])
}

function option(code: number, value: Uint8Array): Uint8Array {
  return joined([u16(code), u16(value.length), value, new Uint8Array(padded(value.length) - value.length)])
}

const u16 = (value: number): Uint8Array => Uint8Array.of(value & 0xff, value >> 8)
const endOfOptions = joined([u16(options.end), u16(0)])

function u32(value: number): Uint8Array {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, value, true)
  return bytes
}

function u64(value: number): Uint8Array {
  return joined([u32(value % 2 ** 32), u32(Math.floor(value / 2 ** 32))])
}

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text)

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}
