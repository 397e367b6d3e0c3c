import { type Trace, traceOf } from '../base/index.ts'
import type { GuestAnswer } from './message.ts'
import type { GuestStep } from './step.ts'

/** One step as it is told of: never what is written, which may be a key, and never random numbers. */
interface TracedStep {
  readonly kind: GuestStep['kind']
  readonly about: string
  /** Of what it carries. */
  readonly bytes?: number
}

/** A message to the program in a guest that configures it, or its answer. */
export interface GuestTraceValue {
  /** The message's number; its answer has the same. */
  readonly number: number
  /** The size of the whole message. */
  readonly bytes?: number
  readonly steps?: readonly TracedStep[]
  /** The guest's clock when it had done all, as an ISO time with nanoseconds. */
  readonly clock?: string
  /** The step that failed, counted from 0, and why. */
  readonly failed?: { readonly step: number; readonly about?: string; readonly reason: string }
  /** Why no answer came. */
  readonly lost?: string
}

export const trace: Trace<GuestTraceValue> = traceOf('guest')

interface Question {
  readonly number: number
  readonly steps: readonly GuestStep[]
}

export function tellSent(peer: string, { number, steps }: Question, message: Uint8Array): void {
  const value = { number, bytes: message.length, steps: steps.map(tracedStep) }
  trace.tell({ direction: 'sent', peer, what: stepsText(steps), value })
}

/** `asked`: what it answers, and how long that took; undefined when nothing waits for it any more. */
export function tellAnswer(
  peer: string,
  answer: GuestAnswer,
  asked: { readonly steps: readonly GuestStep[]; readonly ms: number } | undefined,
): void {
  const { number } = answer
  const took = asked && { ms: asked.ms }
  const of = asked ? stepsText(asked.steps) : 'nothing that is waited for'
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

/** It did not answer in time, or is gone. */
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

/** `2026-01-31T12:00:00.123456789Z`; what a guest says may be any number. */
function timeText(ns: bigint): string {
  const ms = ns / 1_000_000n
  if (ms > 8_640_000_000_000_000n) return `${ns} ns`
  return `${new Date(Number(ms)).toISOString().slice(0, -5)}.${`${ns % 1_000_000_000n}`.padStart(9, '0')}Z`
}
