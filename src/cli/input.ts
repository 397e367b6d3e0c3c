import { execInputLimit } from '../api/index.ts'
import { durationText, systemClock } from '../base/index.ts'
import { CliError } from './errors.ts'

/**
 * Standard input to its end. Throws INPUT_LATE when it has not ended after `timeoutMs`, and INPUT_LIMIT as soon as it is
 * longer than a command's input can be, so that an endless one ends too.
 */
export async function readInput(timeoutMs?: number): Promise<Buffer> {
  const pieces: Buffer[] = []
  let length = 0
  const giveUp = () => process.stdin.destroy(tooLate(timeoutMs!))
  const cancel = timeoutMs === undefined ? () => {} : systemClock.after(timeoutMs, giveUp)
  try {
    for await (const piece of process.stdin as AsyncIterable<Buffer>) {
      length += piece.length
      if (length > execInputLimit) throw tooLong()
      pieces.push(piece)
    }
  } finally {
    cancel()
  }
  return Buffer.concat(pieces)
}

function tooLate(timeoutMs: number): CliError {
  const reason = `it has not ended within ${durationText(timeoutMs)}, and the command was not run`
  const remedy = 'Close it, or leave out -i for a command that reads no input'
  return new CliError({ code: 'INPUT_LATE', op: 'read', target: 'standard input', reason, remedy })
}

function tooLong(): CliError {
  const reason = `it is longer than ${execInputLimit / (1 << 20)} MiB, the limit for a command's input, and the command was not run`
  const remedy = 'Send it without --json, which has no limit, or as a file (`xc put`)'
  return new CliError({
    code: 'INPUT_LIMIT',
    kind: 'usage',
    op: 'read',
    target: 'standard input',
    reason,
    remedy,
  })
}
