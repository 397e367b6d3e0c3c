import { finished } from 'node:stream/promises'
import { execInputLimit, execOutputLimit } from '../api/index.ts'
import { type Clock, defer, durationText, settingText, within, withTimes } from '../base/index.ts'
import { type RunningCommand, spawnCommand } from './command.ts'
import { CommandError } from './errors.ts'
import type { CommandStreams } from './streams.ts'

/** The result of a command in a guest. */
export interface CommandResult {
  /** Its exit status; 128 + the number of a signal that killed it, as in a shell. */
  readonly status: number
  readonly signal?: number
  readonly stdout: Uint8Array
  readonly stderr: Uint8Array
}

/** How {@link runCommand} runs a command. */
export interface RunOptions {
  readonly clock: Clock
  /** Its standard input, at most 32 MiB. Default: empty. */
  readonly input?: string | Uint8Array
  /** Its whole environment; PATH is added when missing. Default: that of xcluster-guest. */
  readonly env?: Readonly<Record<string, string>>
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
}

/** The words of a command: a string is run by a shell. */
export const wordsOf = (command: readonly string[] | string): readonly string[] =>
  typeof command === 'string' ? ['/bin/sh', '-c', command] : command

/**
 * Runs a command and returns when it has ended, whatever it has left in the background. Without `timeoutMs` it may take
 * any time; after `timeoutMs` this throws EXEC_TIMEOUT, and the command continues in the guest, as it does when `signal`
 * aborts (EXEC_ABORTED).
 */
export async function runCommand(
  streams: CommandStreams,
  command: readonly string[] | string,
  { clock, input = '', timeoutMs, ...options }: RunOptions,
): Promise<CommandResult> {
  withTimes('run command', { timeoutMs })
  const words = wordsOf(command)
  const bytes = Buffer.from(input)
  const fail = (reason: Reason) => failure(streams.name, words[0] ?? 'a command', reason)
  if (bytes.length > execInputLimit) throw fail(tooMuchInput(bytes.length))
  const late = new AbortController()
  const { signal = late.signal, env } = options
  const both =
    timeoutMs === undefined || options.signal === undefined ? signal : AbortSignal.any([signal, late.signal])
  const run = async () =>
    collected(
      await spawnCommand(
        streams,
        { words, ...(env && { env }) },
        { clock, signal: both, withoutInput: bytes.length === 0 },
      ),
      { input: bytes, fail },
    )
  if (timeoutMs === undefined) return run()
  try {
    return await within(run(), {
      clock,
      ms: timeoutMs,
      late: () => execTimeout(streams.name, words[0]!, timeoutMs),
    })
  } finally {
    late.abort() // of no effect on a command that has ended
  }
}

type Reason = Pick<
  ConstructorParameters<typeof CommandError>[0],
  'code' | 'reason' | 'remedy' | 'kind' | 'cause'
>

interface Collecting {
  readonly input: Buffer
  readonly fail: (reason: Reason) => Error
}

/** A command whose output exceeds the limit loses its pipes, as when `head` ends in a shell. */
async function collected(command: RunningCommand, { input, fail }: Collecting): Promise<CommandResult> {
  const outputs = [command.stdout, command.stderr] as const
  const pieces: [Uint8Array[], Uint8Array[]] = [[], []]
  const overflow = defer<never>()
  let length = 0
  for (const [index, output] of outputs.entries())
    output.on('data', (piece: Uint8Array) => {
      pieces[index]!.push(piece)
      length += piece.length
      if (length > execOutputLimit) overflow.reject(fail(tooMuchOutput))
    })
  if (input.length > 0) command.stdin.end(input)
  try {
    const ended = await Promise.race([command.exit, overflow.promise])
    await Promise.race([Promise.all(outputs.map(output => finished(output))), overflow.promise])
    return { ...ended, stdout: Buffer.concat(pieces[0]), stderr: Buffer.concat(pieces[1]) }
  } finally {
    for (const output of outputs) output.destroy()
    command.detach() // of no effect on a command that has ended
  }
}

const mebibyte = 1 << 20

const tooMuchOutput: Reason = {
  code: 'EXEC_OUTPUT_LIMIT',
  reason: `its output is longer than ${execOutputLimit / mebibyte} MiB, and was cut off there`,
  remedy: 'Read it as a stream (`spawn`), or fetch a file (`get`): they have no limit',
}

function tooMuchInput(length: number): Reason {
  const [given, limit] = [(length / mebibyte).toFixed(1), execInputLimit / mebibyte]
  const reason = `its input has ${given} MiB, and the limit is ${limit} MiB; it was not run`
  return {
    code: 'EXEC_INPUT_LIMIT',
    kind: 'usage',
    reason,
    remedy: 'Send it as a stream (`spawn`), or as a file (`put`): they have no limit',
  }
}

/** The time for a command is over. */
export function execTimeout(name: string, word: string, timeoutMs: number): CommandError {
  return failure(name, word, {
    code: 'EXEC_TIMEOUT',
    reason: `it has not ended within ${durationText(timeoutMs)}, and continues in the guest`,
    remedy: `Allow more time (${settingText('timeout')}), or end it in the guest`,
  })
}

function failure(name: string, word: string, reason: Reason): CommandError {
  return new CommandError({ op: `run ${word} on`, target: name, ...reason })
}
