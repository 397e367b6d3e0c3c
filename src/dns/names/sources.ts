import { createReadStream, readFileSync, statSync } from 'node:fs'
import { messageOf } from '../../base/index.ts'
import { parseRecord } from '../records/record.ts'
import type { OwnEntry, OwnHosts } from '../types.ts'
import { HostsParser } from './hosts-file.ts'
import type { HostsTable } from './hosts-table.ts'
import { Names } from './names.ts'

export interface HostsOptions {
  readonly hostsFile?: string | undefined
  /** The names until others are set. */
  readonly own?: OwnHosts | undefined
  readonly notice: (text: string) => void
  /** Domains with servers of their own: these answer for names that would else be answered here. */
  readonly zones: readonly { readonly domain: string }[]
  /** Called when the file has been read, and its names count. */
  readonly onRead: () => void
}

/** A file up to this size is read in one go: that takes less than a millisecond. */
const smallFile = 32_768
/** The size of a piece of a larger one, which also takes less than a millisecond. */
const pieceSize = 16_384
/** The largest file: about two million names. */
const most = 64 << 20
const tooLarge = 'it has more than 64 MiB'

/** The sources of own names: those that were set, and a file. */
export class Hosts {
  /** Over when the file has been read. */
  reading: Promise<void> = Promise.resolve()
  /** True until the file has been read once: until then it is not known which names are local. */
  isFirstReading = false
  readonly #options: HostsOptions
  readonly #zones: readonly string[]
  #own: OwnHosts = { hosts: [] }
  #table: HostsTable | undefined
  /** The table before. */
  #spare: HostsTable | undefined
  /** The number of the last reading: an earlier one that still goes on is given up. */
  #last = 0
  #closed = false

  constructor(options: HostsOptions) {
    this.#options = options
    this.#zones = options.zones.map(({ domain }) => domain)
    if (options.own) this.tell(options.own)
    this.isFirstReading = options.hostsFile !== undefined
    void this.reload()
  }

  /** Throws BAD_RECORD, and keeps what it had. */
  tell(own: OwnHosts): void {
    for (const entry of own.records ?? []) parseRecord(entry)
    this.#own = own
  }

  /** Reads the file again. Until then, and when it cannot be read, its earlier names stay. Never rejects. */
  reload(): Promise<void> {
    const { hostsFile } = this.#options
    if (hostsFile !== undefined) this.reading = this.#read(hostsFile, ++this.#last)
    return this.reading
  }

  /** The records that only some askers see. */
  shown(): OwnEntry[] {
    return (this.#own.records ?? []).filter(({ askers }) => askers !== undefined)
  }

  names(): Names {
    return new Names([this.#own], this.#zones, this.#table)
  }

  /** Gives up reading. */
  close(): void {
    this.#closed = true
    this.#last++
  }

  /** A small file has been read when this returns. */
  async #read(file: string, reading: number): Promise<void> {
    try {
      const stat = statSync(file)
      if (stat.size > most) throw new Error(tooLarge)
      const parser = new HostsParser(stat.size, this.#spare)
      this.#spare = undefined
      if (stat.isFile() && stat.size <= smallFile) parser.push(readFileSync(file))
      else await this.#readInPieces(file, parser, reading)
      if (reading === this.#last) this.#use(file, parser)
    } catch (failure) {
      if (reading === this.#last) this.#options.notice(`${file} cannot be read: ${messageOf(failure)}`)
    }
    if (reading === this.#last) this.isFirstReading = false
    // Another reading has begun meanwhile: the names are there when that is over.
    else if (!this.#closed) await this.reading
  }

  /** Between two pieces queries are answered. */
  async #readInPieces(file: string, parser: HostsParser, reading: number): Promise<void> {
    let size = 0
    for await (const piece of createReadStream(file, { highWaterMark: pieceSize })) {
      if (reading !== this.#last) return
      size += piece.length
      if (size > most) throw new Error(tooLarge)
      parser.push(piece)
    }
  }

  #use(file: string, parser: HostsParser): void {
    parser.end()
    this.#spare = this.#table
    this.#table = parser.table
    for (const line of parser.badLines) this.#options.notice(`${file}: ${line}`)
    this.#options.onRead()
  }
}
