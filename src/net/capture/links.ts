import { XclusterError } from '../../base/index.ts'
import type { TapSpec } from '../../plan/index.ts'
import { type Capturable, type CapturedLink, noCapture } from './source.ts'

/** A node's interface, by the name that a capture file gives it: `vm-001/eth1`. */
export interface NamedLink {
  readonly name: string
  readonly spec: TapSpec
}

/** A frame, as a `FrameReceiver` has it. */
export interface ArrivedFrame {
  readonly bytes: Uint8Array
  readonly at: number
  readonly length: number
}

/** Takes the frames of several links. */
export interface LinksReceiver {
  /** Where the next frame is received, as a `FrameReceiver` has it. */
  room?(): Uint8Array
  /** It drains the links itself, as a `FrameReceiver` may. */
  readonly drains?: boolean
  /** Keep a copy of the bytes. */
  frame(link: OpenLink, frame: ArrivedFrame): void
  /** All links have gone. */
  end(): void
}

/** A link that is being captured, and its counters. */
export class OpenLink {
  readonly name: string
  readonly spec: TapSpec
  /** Its number in the file. */
  number = 0
  /** Frames that were received, and those of them that the file has. */
  received = 0
  delivered = 0
  /** Frames for which the file's writer had no room. */
  overflow = 0
  /** Milliseconds since 1970. */
  latest = 0
  link: CapturedLink | undefined

  constructor({ name, spec }: NamedLink) {
    this.name = name
    this.spec = spec
  }

  /** Frames that were missed, by the kernel and by the writer. */
  get lost(): number {
    return this.overflow + (this.link?.dropped ?? 0)
  }
}

export interface OpenLinks extends AsyncDisposable {
  readonly links: readonly OpenLink[]
  /** The names of links that the host cannot see. */
  readonly unseen: readonly string[]
  close(): Promise<void>
}

/**
 * Opens links, all or none. With `some`, those that the host cannot see are left out, unless none is left. Throws
 * NO_CAPTURE.
 */
export async function openLinks(
  wanted: readonly NamedLink[],
  { fabric, some = false }: { readonly fabric: Capturable; readonly some?: boolean },
  receiver: LinksReceiver,
): Promise<OpenLinks> {
  const open = wanted.map(each => new OpenLink(each))
  let left = open.length
  const ended = () => {
    left--
    if (left === 0) receiver.end()
  }
  const opening = open.map(async each => {
    const frame = (bytes: Uint8Array, at: number, length: number) => {
      each.received++
      each.latest = at
      receiver.frame(each, { bytes, at, length })
    }
    const room = receiver.room && (() => receiver.room!())
    const { drains = false } = receiver
    each.link = await fabric.capture(each.spec, { ...(room && { room }), drains, frame, end: ended })
  })
  const results = await Promise.allSettled(opening)
  const failures = results.flatMap(result => (result.status === 'rejected' ? [result.reason as unknown] : []))
  const links = open.filter(({ link }) => link)
  const close = async () => void (await Promise.all(links.map(({ link }) => link!.close())))
  const refused = failures.find(failure => !some || links.length === 0 || !isUnseen(failure))
  if (failures.length > 0 && refused !== undefined) {
    await close()
    throw refused
  }
  if (links.length === 0) throw noCapture('links', 'there are none')
  left -= open.length - links.length
  for (const [number, each] of links.entries()) each.number = number
  const unseen = open.flatMap(({ link, name }) => (link ? [] : [name]))
  return { links, unseen, close, [Symbol.asyncDispose]: close }
}

function isUnseen(failure: unknown): boolean {
  return failure instanceof XclusterError && failure.code === 'NO_CAPTURE'
}
