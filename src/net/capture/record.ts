import { createWriteStream } from 'node:fs'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { reasonOf } from '../../base/index.ts'
import type { Frame } from '../segment/frame.ts'
import { pcap } from '../segment/pcap.ts'
import { type FrameSource, noCapture } from './source.ts'

/** What a capture has recorded so far. */
export interface Recorded {
  readonly frames: number
  readonly bytes: number
  /** Frames that came faster than the file was written. */
  readonly lost: number
}

/** A capture into a file. Closing it completes the file; it throws NO_CAPTURE when that could not be written. */
export interface Recording extends AsyncDisposable {
  readonly file: string
  readonly recorded: Recorded
  close(): Promise<void>
}

/** A file that is forgotten must not fill the disk. */
const longestRecording = 1 << 30

/** Writes frames to a new file in the format of tcpdump(8) and wireshark, at most 1 GiB of it. */
export function record(source: FrameSource, file: string): Recording {
  let [frames, bytes] = [0, 0]
  async function* counted(): AsyncGenerator<Frame> {
    for await (const frame of source.frames) {
      frames++
      bytes += frame.bytes.length
      yield frame
      if (bytes > longestRecording) return
    }
  }
  const writing = pipeline(Readable.from(pcap(counted())), createWriteStream(file, { mode: 0o600 }))
  writing.catch(() => {}) // `close` throws it
  let closing: Promise<void> | undefined
  const close = () => {
    closing ??= source
      .close()
      .then(() => writing)
      .catch(failure => {
        throw noCapture(file, reasonOf(failure))
      })
    return closing
  }
  return {
    file,
    get recorded() {
      return { frames, bytes, lost: source.lost }
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}
