import { messageOf } from '../base/index.ts'
import { CliError, explain } from './errors.ts'

/** Prints the result of a command. Nothing else goes to stdout. */
export function print(text: string | Uint8Array): void {
  process.stdout.write(text)
}

export function printJson(value: unknown): void {
  print(`${JSON.stringify(value, undefined, process.stdout.isTTY ? 2 : 0)}\n`)
}

/** Prints a message for the user on stderr. */
export function tell(text: string): void {
  process.stderr.write(`${text}\n`)
}

/** Ends the process when output cannot be written: silently when the reader has left (EPIPE), else with an error. */
export function watchOutput(): void {
  process.stdout.on('error', failure => end(failure, 'standard output'))
  process.stderr.on('error', failure => end(failure, 'standard error'))
}

/**
 * Ends the process when all output has been written. A pipe holds 64 KiB, Node keeps the rest in memory, and
 * `process.exit` alone would drop it (pipe(7)).
 */
export async function exitFlushed(status: number): Promise<never> {
  await Promise.all([flushed(process.stdout), flushed(process.stderr)])
  process.exit(status)
}

/** The callback of a write comes after those of all earlier writes. {@link watchOutput} handles failures. */
function flushed(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise(resolve => {
    stream.write('', () => resolve())
  })
}

function end(failure: NodeJS.ErrnoException, target: string): never {
  if (failure.code === 'EPIPE') process.exit(0)
  const problem = new CliError({
    code: 'OUTPUT_LOST',
    op: 'write',
    target,
    reason: failure.code === 'ENOSPC' ? 'no space left on the device' : messageOf(failure),
    remedy: 'The command may have taken effect: see xc status',
    cause: failure,
  })
  if (target !== 'standard error') process.stderr.write(explain(problem, false))
  process.exit(1)
}
