import { messageOf } from '../base/index.ts'
import { CliError, explain } from './errors.ts'

/** The command's result: the only thing that goes to stdout. */
export function print(text: string | Uint8Array): void {
  process.stdout.write(text)
}

export function printJson(value: unknown): void {
  print(`${JSON.stringify(value, undefined, process.stdout.isTTY ? 2 : 0)}\n`)
}

/** Everything else. */
export function tell(text: string): void {
  process.stderr.write(`${text}\n`)
}

/** What cannot be written ends the process: silently when the reader has left (EPIPE), else with one sentence. */
export function watchOutput(): void {
  process.stdout.on('error', failure => end(failure, 'standard output'))
  process.stderr.on('error', failure => end(failure, 'standard error'))
}

/**
 * Ends the process when all that was written has been taken. A pipe takes 64 KiB at once, Node keeps the rest in
 * memory, and `process.exit` alone would drop it.
 */
export async function exitFlushed(status: number): Promise<never> {
  await Promise.all([flushed(process.stdout), flushed(process.stderr)])
  process.exit(status)
}

/** A write's callback comes after those of all writes before it; a failure has been heard by {@link watchOutput}. */
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
    remedy: 'What was asked for may have been done: xc status says what is there',
    cause: failure,
  })
  if (target !== 'standard error') process.stderr.write(explain(problem, false))
  process.exit(1)
}
