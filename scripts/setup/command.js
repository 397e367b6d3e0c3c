// @ts-check
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

/** A failure as one sentence for the user. */
export class FetchError extends Error {}

const run = promisify(execFile)

/**
 * The standard output of a program of Debian's package management. Its last line, or that it is missing or late,
 * becomes the error.
 * @param {string} file
 * @param {readonly string[]} args
 * @param {{ signal?: AbortSignal, cwd?: string, env?: NodeJS.ProcessEnv, mayFail?: boolean }} options `mayFail`: its
 * output counts even when it ends with an error
 * @returns {Promise<string>}
 */
export async function command(file, args, { signal, cwd, env, mayFail = false } = {}) {
  try {
    const whole = { ...process.env, LC_ALL: 'C', DEBIAN_FRONTEND: 'noninteractive', ...env }
    return (await run(file, args, { signal, cwd, env: whole, maxBuffer: 64 << 20 })).stdout
  } catch (error) {
    const failure = /** @type {import('node:child_process').ExecFileException} */ (error)
    if (mayFail && typeof failure.code === 'number') return failure.stdout ?? ''
    throw asFetchError(file, args, failure)
  }
}

/**
 * @param {string} file
 * @param {readonly string[]} args
 * @param {import('node:child_process').ExecFileException} failure
 */
function asFetchError(file, args, failure) {
  if (String(failure.code) === 'ENOENT')
    return new FetchError(
      `${file} is not installed: fetching packages needs Debian's apt and dpkg. Give a kernel with --kernel and install qemu-guest-agent instead.`,
    )
  if (failure.name === 'AbortError')
    return new FetchError(`${file} took too long: check that the package mirror can be reached.`)
  const words = String(failure.stderr || failure.message)
    .trim()
    .split('\n')
    .filter(line => !line.startsWith('W:'))
  return new FetchError(
    `${file} ${args.find(arg => /^[a-z]/.test(arg)) ?? ''} failed: ${words.findLast(line => line.startsWith('E:')) ?? words.at(-1)}`,
  )
}
