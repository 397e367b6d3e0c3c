import { rm } from 'node:fs/promises'
import type { Writable } from 'node:stream'
import { finished } from 'node:stream/promises'
import { ArgumentError, type Clock, defer, reasonOf, version } from '../../base/index.ts'
import type { FrameFilter } from '../packet/filter.ts'
import type { CaptureTarget } from './file.ts'
import { type ArrivedFrame, type NamedLink, type OpenLink, type OpenLinks, openLinks } from './links.ts'
import { longestSnap, pcapngEnd, pcapngStart } from './pcapng.ts'
import type { Recorded } from './record.ts'
import { type Capturable, noCapture } from './source.ts'
import { FrameStore, type PlacedFrame } from './store.ts'

/** A capture of several links. */
export interface Capture extends AsyncDisposable {
  /** `vm-001/eth1`: the interfaces of the file, in its order. */
  readonly links: readonly string[]
  /** Links that were left out because the host cannot see them: those of net 0 in user space. */
  readonly unseen: readonly string[]
  /** What the file has so far. */
  readonly recorded: Recorded
  /**
   * Resolves when it has ended: it was closed, or all its links have gone. Rejects with NO_CAPTURE when it cannot be
   * written; then its file has been removed.
   */
  readonly ended: Promise<Recorded>
  /** Ends it, and completes the file. Throws what `ended` rejects with. */
  close(): Promise<Recorded>
}

export interface CaptureParts {
  readonly fabric: Capturable
  readonly clock: Clock
  /** Frames that pass, and the words of the filter for the file. */
  readonly filter: FrameFilter
  readonly filterText?: string | undefined
  /** Bytes of a frame that the file has at most, from 14 to 262144. Default: all. */
  readonly snapLength?: number | undefined
  /** Leaves out links that the host cannot see, unless none is left. */
  readonly some: boolean
  /** Opens what it is written to, once all links are open. */
  open(): Promise<CaptureTarget>
}

/**
 * Milliseconds from one look at the links to the next, while frames come. A file is in the order of time, so frames wait
 * that long for older ones of other links, and each look costs this process more than the frames that it finds.
 */
const [shortestPace, longestPace] = [10, 50]
/** Bytes, with the kernel's structures around frames, that are enough for one look: a link has room for 30 times that. */
const enough = 1 << 20
const structures = 1024
/** The kernel gives a frame its time a moment before it can be received. */
const margin = 2
/** Bytes that may wait for a slow reader or disk, and of memory with them. Frames beyond that are counted as lost. */
const mostWaiting = 64 << 20
const mostHeld = 128 << 20

/** Captures links into one pcapng file, in the order of time. Throws NO_CAPTURE, and BAD_ARGUMENT for `snapLength`. */
export async function openCapture(wanted: readonly NamedLink[], parts: CaptureParts): Promise<Capture> {
  checkSnapLength(parts.snapLength)
  const writing = new Writing(parts)
  const opened = await openLinks(wanted, parts, {
    drains: true,
    room: () => writing.room(),
    frame: (link, frame) => writing.frame(link, frame),
    end: () => writing.gone(),
  })
  try {
    writing.begin(opened, await parts.open())
  } catch (failure) {
    await opened.close()
    throw failure
  }
  return writing
}

interface Held extends PlacedFrame {
  readonly from: OpenLink
  /** Links have their numbers when all are open. */
  link: number
}

class Writing implements Capture {
  readonly #clock: Clock
  readonly #filter: FrameFilter
  readonly #filterText: string | undefined
  readonly #snapLength: number
  readonly #ended = defer<Recorded>()
  readonly #from = Date.now()
  #opened: OpenLinks | undefined
  #target: CaptureTarget | undefined
  readonly #store = new FrameStore()
  #held: Held[] = []
  #bytes = 0
  #cancel: (() => void) | undefined
  #pace = shortestPace
  /** Bytes that the links had since the last look. */
  #taken = 0
  #closing: Promise<Recorded> | undefined
  #failure: Error | undefined
  #gone = false

  constructor({ clock, filter, filterText, snapLength = longestSnap }: CaptureParts) {
    this.#clock = clock
    this.#filter = filter
    this.#filterText = filterText
    this.#snapLength = snapLength
    this.#ended.promise.catch(() => {}) // `close` throws it
  }

  begin(opened: OpenLinks, target: CaptureTarget): void {
    this.#opened = opened
    this.#target = target
    const interfaces = this.links.map(name => ({ name, filter: this.#filterText }))
    this.#into.on('error', failure => this.#failed(failure))
    this.#into.on('close', () => this.#failed(new Error('its reader has left')))
    this.#into.write(pcapngStart(interfaces, `xcluster ${version}`, this.#snapLength))
    this.#wait()
    if (this.#gone) this.gone()
  }

  /** All links have gone. */
  gone(): void {
    this.#gone = true
    if (this.#target) void this.close().catch(() => {})
  }

  get links(): string[] {
    return this.#opened!.links.map(({ name }) => name)
  }

  get unseen(): readonly string[] {
    return this.#opened!.unseen
  }

  get recorded(): Recorded {
    const { links } = this.#opened!
    const sum = (of: (link: OpenLink) => number) => links.reduce((all, link) => all + of(link), 0)
    return { frames: sum(link => link.delivered), bytes: this.#bytes, lost: sum(link => link.lost) }
  }

  get ended(): Promise<Recorded> {
    return this.#ended.promise
  }

  /** A filter sees all of a frame. Without one, what the file has not is not received. */
  room(): Uint8Array {
    const room = this.#store.room()
    return this.#filterText === undefined ? room.subarray(0, this.#snapLength) : room
  }

  frame(from: OpenLink, { bytes, at, length }: ArrivedFrame): void {
    this.#taken += length + structures
    if (this.#target) this.#wait()
    if (this.#failure || !this.#filter(bytes)) return
    const stored = this.#store.keep(bytes.subarray(0, this.#snapLength))
    this.#held.push({ from, link: 0, at, original: length, stored })
  }

  close(): Promise<Recorded> {
    // Later, because a link that is closed says that it has gone, which asks for a close again.
    this.#closing ??= Promise.resolve().then(() => this.#close())
    this.#closing.then(this.#ended.resolve, this.#ended.reject)
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close().then(() => {})
  }

  get #into(): Writable {
    return this.#target!.stream
  }

  /** Receives what has come, and writes the frames that no older one can follow. */
  #pass(): void {
    const now = Date.now()
    const before = this.#taken
    let until = now - margin
    for (const each of this.#opened!.links) if (!each.link!.drain()) until = Math.min(until, each.latest)
    const isFlowing = this.#taken > before
    this.#held.sort((one, other) => one.at - other.at)
    const isSetBack = (this.#held.at(-1)?.at ?? 0) > now + 1000 // the machine's clock was
    const ready = isSetBack ? this.#held.length : this.#held.findIndex(({ at }) => at > until)
    this.#write(this.#held.splice(0, ready < 0 ? this.#held.length : ready))
    this.#cancel = undefined
    this.#pace = isFlowing ? nextPace(this.#pace, this.#taken) : shortestPace
    this.#taken = 0
    if (isFlowing || this.#held.length > 0) this.#wait()
  }

  #wait(): void {
    this.#cancel ??= this.#clock.after(this.#pace, () => this.#pass())
  }

  #write(frames: readonly Held[]): void {
    const hasRoom = !this.#failure && this.#into.writableLength < mostWaiting && this.#store.held < mostHeld
    for (const frame of frames) {
      frame.link = frame.from.number
      if (hasRoom) {
        frame.from.delivered++
        this.#bytes += frame.stored.length
      } else {
        frame.from.overflow++
        this.#store.release(frame.stored.slab)
      }
    }
    if (!hasRoom) return
    for (const { bytes, done } of this.#store.pieces(frames))
      if (this.#target!.reuse) this.#into.write(bytes, done)
      else {
        this.#into.write(new Uint8Array(bytes))
        done()
      }
  }

  /** Called at its end too: the stream closes. */
  #failed(failure: Error): void {
    if (this.#closing && this.#into.writableFinished) return
    this.#failure ??= failure
    void this.close().catch(() => {})
  }

  async #close(): Promise<Recorded> {
    await this.#opened!.close() // what has arrived comes first
    this.#cancel?.()
    this.#held.sort((one, other) => one.at - other.at)
    this.#write(this.#held.splice(0))
    const target = this.#target!
    if (!this.#failure) {
      const [from, to] = [this.#from, Date.now()]
      const statistics = this.#opened!.links.map(({ number: link, received, delivered, lost: dropped }) => {
        return { link, from, to, received: received + dropped, dropped, delivered }
      })
      this.#into.end(pcapngEnd(statistics))
      if (target.file !== undefined) await finished(this.#into).catch(failure => this.#failed(failure))
    }
    if (!this.#failure) return this.recorded
    this.#into.destroy()
    if (target.remove) await rm(target.file!, { force: true })
    throw notWritten(target, this.#failure)
  }
}

/** A frame without its Ethernet header is of no use. */
const shortestSnap = 14

function checkSnapLength(bytes: number | undefined): void {
  if (bytes === undefined || (Number.isInteger(bytes) && bytes >= shortestSnap && bytes <= longestSnap))
    return
  throw new ArgumentError(
    'capture',
    `snapLength is ${bytes}, not a whole number from ${shortestSnap} to ${longestSnap}`,
  )
}

/** Looks are as rare as there is little to see, and get rarer slowly. */
function nextPace(pace: number, taken: number): number {
  return Math.max(shortestPace, Math.min(longestPace, 2 * pace, (pace * enough) / taken))
}

function notWritten({ file, remove }: CaptureTarget, cause: Error): Error {
  const what = remove ? '; the file has been removed' : ''
  return noCapture(file ?? 'stream', `${reasonOf(cause)}${what}`, { cause })
}
