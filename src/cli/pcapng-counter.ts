/** Blocks and options of draft-ietf-opsawg-pcapng (§4) that are looked at. */
const blockTypes = { interface: 1, statistics: 5, packet: 6 } as const
const options = { end: 0, comment: 1, dropped: 5 } as const
/** Of an enhanced packet block, up to the frame (§4.3). */
const packetHead = 28

/** What a capture file has. */
export interface PcapngTally {
  /** Frames in the file, and their bytes. */
  readonly frames: number
  readonly bytes: number
  /** Frames that the capture has missed. */
  readonly lost: number
}

/** The longest block that is looked at as a whole: an interface's statistics. */
const longestStatistics = 512

/** Counts the frames in a pcapng file that an owner writes, while its pieces pass by. */
export class PcapngCounter {
  /** The beginning of the current block, as much of it as is looked at. */
  readonly #head = new Uint8Array(longestStatistics)
  readonly #view = new DataView(this.#head.buffer)
  #have = 0
  /** Bytes of the current block that are only passed by. */
  #skip = 0
  #frames = 0
  #bytes = 0
  #lost = 0
  #interfaces = 0
  #statistics = 0
  readonly #comments = new Set<string>()

  get tally(): PcapngTally {
    return { frames: this.#frames, bytes: this.#bytes, lost: this.#lost }
  }

  /** Why there are no counts of some interfaces: hosts that were lost. */
  get comments(): readonly string[] {
    return [...this.#comments]
  }

  /** True when the statistics of all interfaces have come, with which such a file ends. */
  get complete(): boolean {
    const isOpen = this.#have > 0 || this.#skip > 0
    return this.#interfaces > 0 && this.#statistics === this.#interfaces && !isOpen
  }

  push(piece: Uint8Array): void {
    for (let at = 0; at < piece.length; ) {
      if (this.#skip > 0) {
        const passed = Math.min(this.#skip, piece.length - at)
        this.#skip -= passed
        at += passed
      } else at += this.#take(piece.subarray(at))
    }
  }

  /** Adds to the head of the block until that is known. Returns how many bytes. */
  #take(piece: Uint8Array): number {
    const taken = Math.min(this.#wanted() - this.#have, piece.length)
    this.#head.set(piece.subarray(0, taken), this.#have)
    this.#have += taken
    if (this.#have >= 8 && this.#have === this.#wanted()) this.#count()
    return taken
  }

  /** How much of the current block is looked at. */
  #wanted(): number {
    if (this.#have < 8) return 8
    const [type, length] = [this.#view.getUint32(0, true), this.#view.getUint32(4, true)]
    const most = { [blockTypes.packet]: packetHead, [blockTypes.statistics]: longestStatistics }[type] ?? 8
    return Math.max(8, Math.min(most, length))
  }

  #count(): void {
    const [type, length] = [this.#view.getUint32(0, true), this.#view.getUint32(4, true)]
    if (type === blockTypes.packet) {
      this.#frames++
      this.#bytes += this.#view.getUint32(20, true)
    }
    if (type === blockTypes.interface) this.#interfaces++
    if (type === blockTypes.statistics) {
      this.#statistics++
      const counts = optionsIn(this.#view, this.#have)
      const [comment, dropped] = [counts.get(options.comment), counts.get(options.dropped)]
      if (comment) this.#comments.add(new TextDecoder().decode(comment))
      if (dropped?.length === 8)
        this.#lost += Number(new DataView(dropped.slice().buffer).getBigUint64(0, true))
    }
    this.#skip = Math.max(0, length - this.#have)
    this.#have = 0
  }
}

/** The options of an interface statistics block, by their codes. */
function optionsIn(view: DataView, end: number): Map<number, Uint8Array> {
  const found = new Map<number, Uint8Array>()
  for (let at = 20; at + 4 <= end; ) {
    const [code, length] = [view.getUint16(at, true), view.getUint16(at + 2, true)]
    if (code === options.end || at + 4 + length > end) break
    found.set(code, new Uint8Array(view.buffer, at + 4, length))
    at += 4 + ((length + 3) & ~3)
  }
  return found
}
