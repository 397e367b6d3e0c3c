import { type Clock, durationText, until } from '../base/index.ts'
import { QmpError } from './errors.ts'
import type { GuestExecStatus } from './generated/agent.ts'
import type { Integer, NameIn, Rest, ResultOf } from './qapi.ts'
import { badReply } from './replies.ts'
import type { AgentCommands } from './versions.ts'

export interface ExecOptions {
  /** Its standard input, at most 1 MiB. Default: empty. */
  readonly input?: string | Uint8Array
  /** Its whole environment; PATH is added when missing. Default: the agent's environment. */
  readonly env?: Readonly<Record<string, string>>
  /**
   * After this time the call fails with QMP_TIMEOUT, and the program continues in the guest. Absent: it may take any
   * time.
   */
  readonly timeoutMs?: number
  /** Aborts the wait (QMP_ABORTED). A program that has been started continues in the guest. */
  readonly signal?: AbortSignal
  /**
   * Bytes of both outputs together, where fewer are expected than the 32 MiB that an agent keeps: what a guest sends
   * beyond that is not collected, and ends the connection (QMP_TOO_LONG).
   */
  readonly outputLimit?: number
}

export interface ExecResult {
  /** Its exit status; 128 + the number of a signal that killed it, as in a shell. */
  readonly status: number
  readonly signal?: number
  readonly stdout: Uint8Array
  readonly stderr: Uint8Array
  /** The agent keeps 16 MiB of each output; true when there was more. */
  readonly truncated: { readonly stdout: boolean; readonly stderr: boolean }
}

/** Options of one command of the agent. */
export interface AskOptions {
  /** After this time the command fails with QMP_TIMEOUT and the outcome `unknown`. */
  readonly timeoutMs?: number
  /** Aborts the command (QMP_ABORTED). When it was sent by then, its outcome is `unknown`. */
  readonly signal?: AbortSignal
  /** Bytes of the longest reply that can be expected. Default: 48 MiB for those with outputs or parts of files. */
  readonly longestReply?: number
}

/** The part of an agent's client that runs programs. */
export interface AskedAgent {
  readonly clock: Clock
  readonly peer: string
  execute<const Name extends NameIn<AgentCommands>>(
    command: Name,
    ...rest: Rest<AgentCommands, Name, AskOptions>
  ): Promise<ResultOf<AgentCommands, Name>>
}

const path = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** Runs guest-exec, then guest-exec-status until the program has ended: the agent has no event for that. */
export async function guestExec(
  agent: AskedAgent,
  command: string | readonly string[],
  { input, env, timeoutMs = Number.POSITIVE_INFINITY, signal, outputLimit }: ExecOptions,
): Promise<ExecResult> {
  const [file, ...arg] = typeof command === 'string' ? ['/bin/sh', '-c', command] : command
  if (file === undefined) throw nothingToRun(agent.peer)
  if (input !== undefined && Buffer.from(input).length > inputLimit) throw tooMuchInput(agent.peer, file)
  const limit = limitOf(agent.clock, timeoutMs, signal)
  const args = {
    path: file,
    arg,
    'capture-output': true,
    ...(env && { env: Object.entries({ PATH: path, ...env }).map(([name, value]) => `${name}=${value}`) }),
    ...(input !== undefined && { 'input-data': Buffer.from(input).toString('base64') }),
  }
  const { pid } = await agent.execute('guest-exec', args, limit.forAnswer())
  const slow = { file, pid, timeoutMs, outputLimit }
  const look = async () => {
    const status = await statusOf(agent, { ...slow, limit })
    return status.exited ? status : undefined
  }
  // A quick command takes 5–9 ms under emulation.
  const everyMs = (looks: number) => Math.min(2 * 1.6 ** (looks - 1), 200)
  const waiting = { everyMs, withinMs: limit.left(), signal, why: 'guest program' } as const
  const ended = await until(agent.clock, look, waiting)
  if (!ended && signal?.aborted) throw abortedWait(agent.peer, slow, signal.reason)
  if (!ended) throw tooSlow(agent.peer, slow)
  return resultOf(ended, agent.peer)
}

/**
 * The last status query comes when the time is over. It has time for one answer, so a silent guest costs no
 * more.
 */
const lastLookMs = 250

interface Slow {
  readonly file: string
  readonly pid: Integer
  readonly timeoutMs: number
  readonly outputLimit: number | undefined
}

/** A guest too busy to answer whether the program has ended counts as one in which it still runs. */
async function statusOf(
  agent: AskedAgent,
  { limit, ...slow }: Slow & { readonly limit: Limit },
): Promise<GuestExecStatus> {
  try {
    const longest = slow.outputLimit === undefined ? {} : { longestReply: base64Length(slow.outputLimit) }
    const options = { ...limit.forAnswer(lastLookMs), ...longest }
    const status = await agent.execute('guest-exec-status', { pid: slow.pid }, options)
    if (!status.exited && (status['out-data'] ?? status['err-data']) !== undefined)
      throw badReply('guest-exec-status', agent.peer, 'return has the output of a program that still runs')
    return status
  } catch (failure) {
    if (failure instanceof QmpError && failure.code === 'QMP_ABORTED')
      throw abortedWait(agent.peer, slow, failure.cause)
    const late = failure instanceof QmpError && failure.code === 'QMP_TIMEOUT' && limit.isSet
    throw late ? tooSlow(agent.peer, slow) : failure
  }
}

/** Bytes of a reply with outputs of so many bytes. */
function base64Length(bytes: number): number {
  return Math.ceil(bytes / 3) * 4 + 4096
}

interface Limit {
  readonly isSet: boolean
  left(): number
  /** The options of one request: what is left for its answer, or the client's usual limit. */
  forAnswer(atLeastMs?: number): AskOptions
}

function limitOf(clock: Clock, ms: number, signal: AbortSignal | undefined): Limit {
  const end = clock.now() + ms
  const isSet = Number.isFinite(ms)
  const left = () => Math.max(1, end - clock.now())
  const also = signal && { signal }
  const forAnswer = (least = 1) => ({ ...also, ...(isSet && { timeoutMs: Math.max(left(), least) }) })
  return { isSet, left, forAnswer }
}

function resultOf(status: GuestExecStatus, peer: string): ExecResult {
  // The shapes of replies make sure that both are numbers.
  const [code, signal] = [status.exitcode as number | undefined, status.signal as number | undefined]
  return {
    status: code ?? (signal === undefined ? 0 : 128 + signal),
    ...(signal !== undefined && { signal }),
    stdout: outputOf(status, 'out-data', peer),
    stderr: outputOf(status, 'err-data', peer),
    truncated: {
      stdout: status['out-truncated'] ?? false,
      stderr: status['err-truncated'] ?? false,
    },
  }
}

/** Node skips characters that are not base64: then there are fewer bytes than the text has room for. */
function outputOf(status: GuestExecStatus, name: 'out-data' | 'err-data', peer: string): Buffer {
  const text = status[name] ?? ''
  const bytes = Buffer.from(text, 'base64')
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0
  if (text.length % 4 === 0 && bytes.length === (text.length / 4) * 3 - padding) return bytes
  throw badReply('guest-exec-status', peer, `return.${name} is not base64`)
}

/** Bytes. The agent has its input several times in memory: 8 MiB end the agent of a guest of 128 MiB. */
const inputLimit = 1 << 20

function tooMuchInput(target: string, command: string): QmpError {
  const reason = `its input is longer than ${inputLimit >> 20} MiB, which could end the agent; it was not run`
  const remedy = 'Write it to a file first, in parts of 1 MiB: sh -c "cat >>FILE"'
  return new QmpError({
    code: 'AGENT_INPUT_LIMIT',
    kind: 'usage',
    target,
    command,
    outcome: 'unsent',
    reason,
    remedy,
  })
}

function nothingToRun(target: string): QmpError {
  const reason = 'the list of arguments is empty'
  return new QmpError({ code: 'AGENT_NOTHING_TO_RUN', kind: 'usage', op: 'run a program in', target, reason })
}

function abortedWait(target: string, { file, pid }: Slow, cause: unknown): QmpError {
  const reason = `its caller aborted the wait, and it continues in the guest as process ${pid}`
  return new QmpError({ code: 'QMP_ABORTED', target, reason, command: file, outcome: 'unknown', cause })
}

function tooSlow(target: string, slow: Slow): QmpError {
  const reason = `it has not ended within ${durationText(slow.timeoutMs)}, and continues in the guest as process ${slow.pid}`
  return new QmpError({ code: 'QMP_TIMEOUT', target, reason, command: slow.file, outcome: 'unknown' })
}
