import { once } from 'node:events'
import { printable, printableJson, printableLines, reasonOf } from '../base/index.ts'
import { CliError, explain } from './errors.ts'

/**
 * Prints the result of a command. Nothing else goes to stdout. Guests say some of it, so control characters are shown
 * as escapes here, for all commands.
 */
export function print(text: string): void {
  process.stdout.write(printableLines(text))
}

/** Prints what is for a program, or comes from a program that you ran, as it is. Waits for a slow reader. */
export async function printRaw(
  bytes: string | Uint8Array,
  stream: NodeJS.WriteStream = process.stdout,
): Promise<void> {
  if (!stream.write(bytes)) await once(stream, 'drain')
}

export function printJson(value: unknown): void {
  process.stdout.write(printableJson(`${JSON.stringify(value, undefined, process.stdout.isTTY ? 2 : 0)}\n`))
}

/** Prints a message for the user on stderr. */
export function tell(text: string): void {
  process.stderr.write(`${printableLines(text)}\n`)
}

/** Writes a line of the terminal on stderr anew, without its end. Guests may say some of it. */
export function overwriteLine(text: string): void {
  process.stderr.write(`\r\x1b[K${printable(text)}`)
}

/** Prints a failure on stderr. */
export function report(failure: unknown, debug = false): void {
  process.stderr.write(explain(failure, debug))
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
    reason: reasonOf(failure),
    remedy: 'The command may have taken effect: see xc status',
    cause: failure,
  })
  if (target !== 'standard error') report(problem)
  process.exit(1)
}
