import { errnoName, errnoText, printable, Reader, Writer } from '../base/index.ts'
import type { ArchiveEntry } from '../image/index.ts'
import type { LinkPlace } from '../rtnl/index.ts'
import { frame } from '../stream/index.ts'
import type { GuestStep } from './step.ts'

/** The numbers of the kinds of steps in native/guest/steps.c. */
const kinds = { write: 1, append: 2, route: 3, netfilter: 4, clock: 5, random: 6, run: 7 } as const
const putKinds = { file: 8, directory: 9, link: 10, device: 11 } as const

function kindOf(step: GuestStep): number {
  return step.kind === 'put' ? putKinds[step.entry.kind] : kinds[step.kind]
}

/** Encodes a message: a frame of kind `configure` with its number as stream, and the steps (native/guest/main.c). */
export function guestMessage(number: number, steps: readonly GuestStep[]): Uint8Array {
  const out = new Writer(4096)
  for (const step of steps) {
    const start = out.reserve(4)
    out.u16(kindOf(step))
    out.u16(0)
    putPayload(out, step)
    out.patchU32(start, out.length - start - 8)
    out.align(4)
  }
  return frame('configure', number, { payload: out.done() })
}

const encoder = new TextEncoder()

function putPayload(out: Writer, step: GuestStep): void {
  switch (step.kind) {
    case 'run':
      out.put(encoder.encode(`${step.path}\0`))
      break
    case 'write':
    case 'append':
      out.text(`${step.path}\0`)
      if (typeof step.content === 'string') out.text(step.content)
      else out.put(step.content)
      break
    case 'put':
      putEntry(out, step.entry)
      break
    case 'route':
    case 'netfilter':
      putPlaces(out, step.places ?? [])
      out.put(step.bytes)
      break
    case 'clock':
      out.u64(step.ns)
      break
    case 'random':
      out.put(step.bytes)
  }
}

const nodeTypes = { char: 0o020000, block: 0o060000, fifo: 0o010000 } as const

/** struct put (native/guest/steps.c), path and content. */
function putEntry(out: Writer, entry: ArchiveEntry): void {
  const type = entry.kind === 'device' ? nodeTypes[entry.type ?? 'char'] : 0
  const [major, minor] = entry.kind === 'device' ? [entry.major, entry.minor] : [0, 0]
  const mode = entry.kind === 'link' ? 0 : entry.mode
  for (const value of [type | mode, entry.uid ?? 0, entry.gid ?? 0, major, minor]) out.u32(value)
  out.text(`/${entry.path}\0`)
  if (entry.kind === 'file') out.put(entry.content)
  if (entry.kind === 'link') out.text(`${entry.target}\0`)
}

/** struct link_place (native/guest/netlink.c). */
function putPlaces(out: Writer, places: readonly LinkPlace[]): void {
  out.u32(places.length)
  for (const { offset, name } of places) {
    out.u32(offset)
    const start = out.length
    out.put(encoder.encode(name))
    out.reserve(start + 16 - out.length)
  }
}

/** The guest's answer to a message. */
export type GuestAnswer =
  | { readonly number: number; readonly ok: true; readonly clockNs: bigint }
  | { readonly number: number; readonly ok: false; readonly step: number; readonly reason: string }

/** Reads the payload of an answer: errno, step, the guest's clock, and the kernel's text. Throws when it is too short. */
export function readAnswer(number: number, payload: Uint8Array): GuestAnswer {
  const from = new Reader(payload)
  const [errno, step, clockNs] = [from.i32('errno'), from.u32('step'), from.u64('clock')]
  if (errno === 0) return { number, ok: true, clockNs }
  return { number, ok: false, step, reason: reasonOf(errno, from.text()) }
}

/** Characters. xcluster-guest has room for 159 (native/guest/guest.h); another program says what it likes. */
const longestText = 200

/** The errno's text, after the kernel's extended ack if there is one. */
function reasonOf(errno: number, text: string): string {
  return [printable(text.trim().replace(/\.$/, ''), longestText), `${errnoText(errno)} (${errnoName(errno)})`]
    .filter(Boolean)
    .join(': ')
}
