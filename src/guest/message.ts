import { errnoName, errnoText, Writer } from '../base/index.ts'
import type { LinkPlace } from '../rtnl/index.ts'
import type { GuestStep } from './step.ts'

/** The numbers of the kinds of steps in native/guest/steps.c. */
const kinds = { write: 1, append: 2, route: 3, netfilter: 4, clock: 5, random: 6, run: 7 } as const

/** Encodes a message: its length and number, then each step (native/guest/main.c). */
export function guestMessage(number: number, steps: readonly GuestStep[]): Uint8Array {
  const out = new Writer(4096)
  out.u32(0)
  out.u32(number)
  for (const step of steps) {
    const start = out.reserve(4)
    out.u16(kinds[step.kind])
    out.u16(0)
    putPayload(out, step)
    out.patchU32(start, out.length - start - 8)
    out.align(4)
  }
  out.patchU32(0, out.length - 8)
  return out.done()
}

const encoder = new TextEncoder()

function putPayload(out: Writer, step: GuestStep): void {
  switch (step.kind) {
    case 'run':
      out.put(encoder.encode(`${step.path}\0`))
      break
    case 'write':
    case 'append':
      out.put(encoder.encode(`${step.path}\0${step.content}`))
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

/** Reads one line. Undefined when it is not an answer. */
export function readAnswer(line: string): GuestAnswer | undefined {
  const ok = /^(\d+) ok (\d+)$/.exec(line)
  if (ok) return { number: Number(ok[1]), ok: true, clockNs: BigInt(ok[2]!) }
  const failed = /^(\d+) failed (\d+) (\d+) (.*)$/.exec(line)
  if (!failed) return undefined
  const [, number, step, errno, text] = failed
  return { number: Number(number), ok: false, step: Number(step), reason: reasonOf(Number(errno), text!) }
}

/** The errno's text, after the kernel's extended ack if there is one. */
function reasonOf(errno: number, text: string): string {
  return [text.trim().replace(/\.$/, ''), `${errnoText(errno)} (${errnoName(errno)})`]
    .filter(Boolean)
    .join(': ')
}
