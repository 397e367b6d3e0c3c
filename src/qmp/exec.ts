import { type Clock, until } from '../base/index.ts'
import type { AgentCommands, GuestExecStatus } from './agent-commands.ts'
import type { NameIn, Rest, ResultOf } from './commands.ts'
import { QmpError } from './errors.ts'

export interface ExecOptions {
  /** Its standard input. Default: empty. */
  readonly input?: string | Uint8Array
  /** Its whole environment; PATH is added when missing. Default: the agent's environment. */
  readonly env?: Readonly<Record<string, string>>
  /** After this time the call fails with QMP_TIMEOUT, and the program continues in the guest. */
  readonly timeoutMs?: number
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

/** The part of an agent's client that runs programs. */
export interface AskedAgent {
  readonly clock: Clock
  readonly peer: string
  execute<const Name extends NameIn<AgentCommands>>(
    command: Name,
    ...rest: Rest<AgentCommands, Name, { readonly timeoutMs?: number }>
  ): Promise<ResultOf<AgentCommands, Name>>
}

const path = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** Runs guest-exec, then guest-exec-status until the program has ended: the agent has no event for that. */
export async function guestExec(
  agent: AskedAgent,
  command: string | readonly string[],
  { input, env, timeoutMs = 30_000 }: ExecOptions,
): Promise<ExecResult> {
  const [file, ...arg] = typeof command === 'string' ? ['/bin/sh', '-c', command] : command
  if (file === undefined) throw nothingToRun(agent.peer)
  const limit = deadline(agent.clock, timeoutMs)
  const args = {
    path: file,
    arg,
    'capture-output': true,
    ...(env && { env: Object.entries({ PATH: path, ...env }).map(([name, value]) => `${name}=${value}`) }),
    ...(input !== undefined && { 'input-data': Buffer.from(input).toString('base64') }),
  }
  const { pid } = await agent.execute('guest-exec', args, { timeoutMs: limit.left() })
  const slow = { file, pid, timeoutMs }
  const look = async () => {
    const status = await statusOf(agent, { ...slow, askMs: Math.max(limit.left(), lastLookMs) })
    return status.exited ? status : undefined
  }
  // A quick command takes 5–9 ms under emulation.
  const everyMs = (looks: number) => Math.min(2 * 1.6 ** (looks - 1), 200)
  const ended = await until(agent.clock, look, { everyMs, withinMs: limit.left(), why: 'guest program' })
  if (!ended) throw tooSlow(agent.peer, slow)
  return resultOf(ended)
}

/**
 * The last status query comes when the time is over. It has time for one answer, so a silent guest costs no
 * more.
 */
const lastLookMs = 250

interface Slow {
  readonly file: string
  readonly pid: number
  readonly timeoutMs: number
}

/** A guest too busy to answer whether the program has ended counts as one in which it still runs. */
async function statusOf(
  agent: AskedAgent,
  { askMs, ...slow }: Slow & { readonly askMs: number },
): Promise<GuestExecStatus> {
  try {
    return await agent.execute('guest-exec-status', { pid: slow.pid }, { timeoutMs: askMs })
  } catch (failure) {
    throw failure instanceof QmpError && failure.code === 'QMP_TIMEOUT' ? tooSlow(agent.peer, slow) : failure
  }
}

function deadline(clock: Clock, ms: number) {
  const end = clock.now() + ms
  return { left: () => Math.max(1, end - clock.now()) }
}

function resultOf(status: GuestExecStatus): ExecResult {
  const { signal } = status
  return {
    status: status.exitcode ?? (signal === undefined ? 0 : 128 + signal),
    ...(signal !== undefined && { signal }),
    stdout: Buffer.from(status['out-data'] ?? '', 'base64'),
    stderr: Buffer.from(status['err-data'] ?? '', 'base64'),
    truncated: {
      stdout: status['out-truncated'] ?? false,
      stderr: status['err-truncated'] ?? false,
    },
  }
}

function nothingToRun(target: string): QmpError {
  const reason = 'the list of arguments is empty'
  return new QmpError({ code: 'AGENT_NOTHING_TO_RUN', kind: 'usage', op: 'run a program in', target, reason })
}

function tooSlow(target: string, slow: Slow): QmpError {
  const reason = `it has not ended within ${slow.timeoutMs / 1000} s, and continues in the guest as process ${slow.pid}`
  return new QmpError({ code: 'QMP_TIMEOUT', target, reason, command: slow.file, outcome: 'unknown' })
}
