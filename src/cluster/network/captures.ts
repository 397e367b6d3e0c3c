import type { Writable } from 'node:stream'
import { type Clock, withTimes } from '../../base/index.ts'
import {
  awaitPacket,
  type Capture,
  captureFile,
  captureFrames,
  type Fabric,
  frameFilter,
  openCapture,
  type Packet,
  type PacketWanted,
  record,
} from '../../net/index.ts'
import type { ClusterPlan } from '../../plan/index.ts'
import { ClusterError, waitAborted } from '../errors.ts'
import { chosenLinks, type LinkChoice, seenAs } from './seen.ts'

/** What to capture, and where it is written, as pcapng: into a file, or a stream, which is ended with the capture. */
export type CaptureSpec = LinkChoice & {
  /** In the language of pcap-filter(7), without its arithmetic. */
  readonly filter?: string | undefined
  /** Bytes of a frame that the file has at most: headers alone take less time and room. From 14 to 262144, the default. */
  readonly snapLength?: number | undefined
} & (
    | { readonly file: string; readonly stream?: undefined }
    | {
        readonly stream: Writable
        readonly file?: undefined
        /**
         * It calls back for a piece when it needs that no longer, as sockets do and a PassThrough does not. The memory of
         * pieces is then used again; otherwise each piece is a copy.
         */
        readonly reuse?: boolean | undefined
      }
  )

/** Where to look for a packet, and for how long. */
export interface PacketOptions extends LinkChoice {
  /** Milliseconds. Absent: any time. */
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
}

export interface CapturesParts {
  readonly fabric: Fabric
  readonly clock: Clock
  readonly plan: () => ClusterPlan
}

/** The captures of a cluster. Closing it ends them. */
export class ClusterCaptures implements AsyncDisposable {
  readonly #parts: CapturesParts
  readonly #open = new Set<AsyncDisposable>()
  readonly #closing = new AbortController()

  constructor(parts: CapturesParts) {
    this.#parts = parts
  }

  async record(node: { readonly id: number; readonly dev: string; readonly name: string }, file: string) {
    const { fabric, plan } = this.#parts
    const recording = record(await captureFrames(fabric, seenAs(plan(), node)), file)
    this.#open.add(recording)
    return recording
  }

  async capture({ filter, snapLength, ...spec }: CaptureSpec): Promise<Capture> {
    const { fabric, clock, plan } = this.#parts
    if (spec.file === undefined && typeof spec.stream?.write !== 'function') throw noTarget(plan().name)
    const capture = await openCapture(chosenLinks(plan(), spec), {
      ...{ fabric, clock, filter: frameFilter(filter ?? ''), filterText: filter, snapLength },
      some: spec.nets === undefined,
      open: async () => (spec.file === undefined ? spec : await captureFile(spec.file)),
    })
    this.#open.add(capture)
    const ended = () => void this.#open.delete(capture)
    capture.ended.then(ended, ended)
    return capture
  }

  async packet(wanted: PacketWanted, { timeoutMs, signal, ...choice }: PacketOptions): Promise<Packet> {
    withTimes('wait for packet', { timeoutMs })
    const { fabric, clock, plan } = this.#parts
    const what = typeof wanted === 'string' ? `'${wanted}'` : 'of this kind'
    const signals = [this.#closing.signal, ...(signal ? [signal] : [])]
    return await awaitPacket(chosenLinks(plan(), choice), wanted, {
      ...{ fabric, clock, some: choice.nets === undefined, timeoutMs, signal: AbortSignal.any(signals) },
      late: frames => noPacket(what, timeoutMs!, frames),
      aborted: reason => waitAborted('wait for a packet of', plan().name, reason),
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort()
    const closing = Array.from(this.#open, each => each[Symbol.asyncDispose]())
    await Promise.allSettled(closing) // who made a capture hears of its failure
  }
}

function noTarget(target: string): ClusterError {
  const reason = 'there is neither a file nor a stream to write to'
  return new ClusterError({ code: 'NO_CAPTURE', kind: 'usage', op: 'capture', target, reason })
}

function noPacket(target: string, timeoutMs: number, frames: number): ClusterError {
  return new ClusterError({
    code: 'PACKET_TIMEOUT',
    op: 'wait for packet',
    target,
    reason: `none came within ${timeoutMs / 1000} s, among ${frames} frames`,
    remedy: 'Make sure that the links and the filter are right, or give it longer',
  })
}
