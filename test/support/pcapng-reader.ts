/** What a pcapng file has, by a reader of its own: it shares no line with the writer. */
export interface ReadPcapng {
  /** The names of its interfaces. */
  readonly links: string[]
  /** `original`: the length of the frame, of which the file has the beginning. */
  readonly packets: {
    readonly link: string
    readonly at: number
    readonly bytes: Buffer
    readonly original: number
  }[]
  /** Of each interface. */
  readonly snapLengths: number[]
  /** By interface: the options of its statistics that are numbers of 64 bits. */
  readonly statistics: Record<string, { received: number; dropped: number; delivered: number }>
}

export function readPcapng(file: Buffer): ReadPcapng {
  const read: ReadPcapng = { links: [], packets: [], snapLengths: [], statistics: {} }
  for (let at = 0; at < file.length; ) {
    const [type, length] = [file.readUInt32LE(at), file.readUInt32LE(at + 4)]
    if (file.readUInt32LE(at + length - 4) !== length) throw new Error(`a block of ${length} bytes at ${at}`)
    take(read, type, file.subarray(at + 8, at + length - 4))
    at += length
  }
  return read
}

function take({ links, packets, snapLengths, statistics }: ReadPcapng, type: number, body: Buffer): void {
  if (type === 1) {
    links.push(optionsOf(body.subarray(8)).get(2)!.toString())
    snapLengths.push(body.readUInt32LE(4))
  }
  const link = links[body.readUInt32LE(0)]!
  if (type === 6) {
    const micros = body.readUInt32LE(4) * 2 ** 32 + body.readUInt32LE(8)
    const [length, original] = [body.readUInt32LE(12), body.readUInt32LE(16)]
    packets.push({ link, at: micros / 1000, bytes: body.subarray(20, 20 + length), original })
  }
  if (type === 5) {
    const options = optionsOf(body.subarray(12))
    const [received, dropped, delivered] = [4, 5, 8].map(code => Number(options.get(code)!.readBigUInt64LE()))
    statistics[link] = { received: received!, dropped: dropped!, delivered: delivered! }
  }
}

function optionsOf(bytes: Buffer): Map<number, Buffer> {
  const options = new Map<number, Buffer>()
  for (let at = 0; at + 4 <= bytes.length && bytes.readUInt16LE(at) !== 0; ) {
    const length = bytes.readUInt16LE(at + 2)
    options.set(bytes.readUInt16LE(at), bytes.subarray(at + 4, at + 4 + length))
    at += 4 + ((length + 3) & ~3)
  }
  return options
}
