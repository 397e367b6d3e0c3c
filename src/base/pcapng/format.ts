/** Numbers of draft-ietf-opsawg-pcapng, which writer and tally share. */
export const blockTypes = { section: 0x0a0d0d0a, interface: 1, statistics: 5, packet: 6 } as const
export const byteOrderMagic = 0x1a2b3c4d

/** Type and length at the start of a block, and its length once more at the end (§3.1). */
export const blockHead = 8
export const blockTail = 4
/** Of an enhanced packet block: interface, time in two halves, captured and original length (§4.3). */
export const packetHead = blockHead + 20

/** Options of a section, an interface, and an interface's statistics (§4.1, §4.2, §4.6). */
export const options = {
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

export const padded = (length: number): number => (length + 3) & ~3
