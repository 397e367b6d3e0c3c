import { type Trace, traceOf } from '../base/index.ts'
import type { Frame } from '../stream/index.ts'
import type { GuestAnswer } from './message.ts'
import type { GuestStep } from './step.ts'

/** One step, without what it writes, which may be a key, and without random numbers. */
interface TracedStep {
  readonly kind: GuestStep['kind']
  readonly about: string
  /** The size of its content. */
  readonly bytes?: number
}

/** A message to `xcluster-guest`, which configures a guest, or its answer; or a frame of a command. */
export interface GuestTraceValue {
  /** The number of the message, which its answer repeats; or of the command. */
  readonly number: number
  /** The size of the whole message. */
  readonly bytes?: number
  readonly steps?: readonly TracedStep[]
  /** The guest's clock after the last step, as an ISO 8601 time with nanoseconds. */
  readonly clock?: string
  /** The step that failed, counted from 0, and why. */
  readonly failed?: { readonly step: number; readonly about?: string; readonly reason: string }
  /** Why there was no answer. */
  readonly lost?: string
}

/** A frame of a command, without what it carries: its arguments, input and output may be anything. */
export function tellFrame(
  peer: string,
  direction: 'sent' | 'received',
  { kind, stream, payload }: Pick<Frame, 'kind' | 'stream' | 'payload'>,
): void {
  if (untold.includes(kind)) return
  const value = { number: stream, bytes: payload.length }
  trace.tell({ direction, peer, what: `command ${stream}: ${kind}`, value })
}

/** Content and its credit come in any number; configurations are told with their steps, and what the
 * kernel of a guest is asked with its netlink messages. */
const untold: readonly string[] = ['data', 'credit', 'configure', 'ask', 'asked']

export const trace: Trace<GuestTraceValue> = traceOf('guest')

interface Question {
  readonly number: number
  readonly steps: readonly GuestStep[]
}

export function tellSent(peer: string, { number, steps }: Question, message: Uint8Array): void {
  const value = { number, bytes: message.length, steps: steps.map(tracedStep) }
  trace.tell({ direction: 'sent', peer, what: stepsText(steps), value })
}

/** `asked` has the steps that it answers and how long they took; undefined when nothing waits for the answer. */
export function tellAnswer(
  peer: string,
  answer: GuestAnswer,
  asked: { readonly steps: readonly GuestStep[]; readonly ms: number } | undefined,
): void {
  const { number } = answer
  const took = asked && { ms: asked.ms }
  const of = asked ? stepsText(asked.steps) : 'without a pending message'
  if (answer.ok) {
    const value = { number, clock: timeText(answer.clockNs) }
    trace.tell({ direction: 'received', peer, what: `done ${of}`, ...took, value })
    return
  }
  const { step, reason } = answer
  const about = asked?.steps[step]?.about
  const value = { number, failed: { step, ...(about !== undefined && { about }), reason } }
  trace.tell({ direction: 'received', peer, what: `failed ${of}`, ...took, value })
}

/** A guest that did not answer in time, or whose channel is closed. */
export function tellLost(peer: string, { number, steps }: Question, reason: string): void {
  const what = `no answer to ${stepsText(steps)}`
  trace.tell({ direction: 'noted', peer, what, value: { number, lost: reason } })
}

function stepsText(steps: readonly GuestStep[]): string {
  return steps.length === 1 ? '1 step' : `${steps.length} steps`
}

function tracedStep(step: GuestStep): TracedStep {
  const { kind, about } = step
  if ('bytes' in step) return { kind, about, bytes: step.bytes.length }
  return 'content' in step ? { kind, about, bytes: Buffer.byteLength(step.content) } : { kind, about }
}

/** `2026-01-31T12:00:00.123456789Z`. All 64 bits are a time: the last one is in the year 2554. */
function timeText(ns: bigint): string {
  return `${new Date(Number(ns / 1_000_000n)).toISOString().slice(0, -5)}.${`${ns % 1_000_000_000n}`.padStart(9, '0')}Z`
}
