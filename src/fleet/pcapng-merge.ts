/** The blocks of pcapng that a capture of ours has (draft-ietf-opsawg-pcapng §4). */
const blockTypes = { section: 0x0a0d0d0a, interface: 1, statistics: 5, packet: 6 } as const

const commentOption = 1
/** Bytes. A reader looks at no more of such a block than 512. */
const longestComment = 400

/** Milliseconds that a frame waits for an earlier one of another host. */
const holdMs = 500

interface Frame {
  /** Microseconds since 1970. */
  readonly at: number
  /** When it came, on the clock here. */
  readonly came: number
  readonly block: Buffer
}

interface Source {
  rest: Buffer
  /** Its interfaces' numbers in the merged file. */
  readonly links: number[]
  /** Those of which there are no statistics yet. */
  readonly open: Set<number>
  readonly frames: Frame[]
  ended: boolean
}

/**
 * Several pcapng streams as one, in the order of the frames' times. Interfaces come as they are seen, and each source's
 * frames follow them. Statistics are for the end.
 */
export class PacketMerge {
  readonly #sources: readonly Source[]
  readonly #now: () => number
  readonly #statistics: Buffer[] = []
  #links = 0
  #begun = false

  constructor(sources: number, now: () => number) {
    this.#now = now
    this.#sources = Array.from({ length: sources }, () => ({
      ...{ rest: Buffer.alloc(0), links: [], open: new Set(), frames: [], ended: false },
    }))
  }

  /** Takes bytes of a source. Returns what can be written at once: the beginning of the file, and interfaces. */
  push(at: number, bytes: Uint8Array): Buffer[] {
    const source = this.#sources[at]!
    let rest = Buffer.concat([source.rest, bytes])
    const ready: Buffer[] = []
    while (rest.length >= 8) {
      const length = rest.readUInt32LE(4)
      if (rest.length < length || length < 12) break
      ready.push(...this.#take(source, Buffer.from(rest.subarray(0, length))))
      rest = rest.subarray(length)
    }
    source.rest = rest
    return ready
  }

  /** Nothing more comes of a source. False when that was known. */
  end(at: number): boolean {
    const source = this.#sources[at]!
    const isNew = !source.ended
    source.ended = true
    return isNew
  }

  /** The frames that no earlier one can precede, or that have waited long enough. */
  due(): Buffer[] {
    const horizon = this.#now() - holdMs
    const due: Buffer[] = []
    for (;;) {
      const isWhole = this.#sources.every(({ ended, frames }) => ended || frames.length > 0)
      const first = this.#first()
      if (!first || !(isWhole || first.frames[0]!.came <= horizon)) return due
      due.push(first.frames.shift()!.block)
    }
  }

  /**
   * All that is left, and the statistics. Interfaces of a source that has ended without them get one with the reason as
   * a comment, and no counts.
   */
  rest(reasonOf: (at: number) => string): Buffer[] {
    for (const source of this.#sources) source.ended = true
    const cut = this.#sources.flatMap(({ open }, at) =>
      Array.from(open, link => commentOf(link, this.#now(), reasonOf(at))),
    )
    return [...this.due(), ...this.#statistics, ...cut]
  }

  /** The source with the earliest frame. */
  #first(): Source | undefined {
    let first: Source | undefined
    for (const source of this.#sources)
      if (source.frames.length > 0 && (!first || source.frames[0]!.at < first.frames[0]!.at)) first = source
    return first
  }

  #take(source: Source, block: Buffer): Buffer[] {
    const type = block.readUInt32LE(0)
    if (type === blockTypes.section) {
      const isFirst = !this.#begun
      this.#begun = true
      return isFirst ? [block] : []
    }
    if (type === blockTypes.interface) {
      source.open.add(this.#links)
      source.links.push(this.#links++)
      return [block]
    }
    const link = source.links[block.readUInt32LE(8)] ?? 0
    block.writeUInt32LE(link, 8)
    if (type === blockTypes.statistics) {
      source.open.delete(link)
      this.#statistics.push(block)
    } else if (type === blockTypes.packet) {
      const at = block.readUInt32LE(12) * 2 ** 32 + block.readUInt32LE(16)
      source.frames.push({ at, came: this.#now(), block })
    }
    return []
  }
}

/** An interface's statistics with a comment alone (§4.6, §3.5.1). `at`: milliseconds since 1970. */
function commentOf(link: number, at: number, comment: string): Buffer {
  const text = Buffer.from(comment).subarray(0, longestComment)
  const size = 32 + ((text.length + 3) & ~3)
  const block = Buffer.alloc(size)
  const time = Math.round(at * 1000)
  const fields = [blockTypes.statistics, size, link, Math.floor(time / 2 ** 32), time % 2 ** 32]
  for (const [index, field] of fields.entries()) block.writeUInt32LE(field, 4 * index)
  block.writeUInt16LE(commentOption, 20)
  block.writeUInt16LE(text.length, 22)
  text.copy(block, 24)
  block.writeUInt32LE(size, size - 4)
  return block
}
