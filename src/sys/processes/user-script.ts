import { spawn } from 'node:child_process'
import { launcherPath } from '../binding.ts'
import type { NetNamespace } from '../namespaces/namespace.ts'
import { type Exit, exitOf, launcherArgs, refuseWorkers, start, tail } from './launch.ts'

/** A user's program, which answers on its standard output. */
export interface UserScript {
  /** An absolute path. */
  readonly file: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string | undefined>>
  /** The namespace to run in, with the privileges of its root. When absent: this process's namespace and user. */
  readonly namespace?: NetNamespace | undefined
  /** Ends the program and everything that it started. */
  readonly signal: AbortSignal
  /** The most bytes that it may write to standard output. One that writes more is killed. */
  readonly most: number
}

export interface UserScriptEnd extends Exit {
  /** All of its standard output. */
  readonly stdout: Buffer
  /** The last 64 KiB of its standard error. */
  readonly stderr: string
  /** True when it was killed because it wrote too much. */
  readonly overflowed: boolean
}

/**
 * Runs the program until its output ends, like a shell's `$(…)`: a background process that it leaves must
 * close that output. Its standard input is empty. It dies with this process. Exit 126 or 127 means that it
 * could not be started.
 */
export async function runUserScript(script: UserScript): Promise<UserScriptEnd> {
  refuseWorkers(script.file)
  script.signal.throwIfAborted()
  const { namespace, env } = script
  const child = start(script.file, () =>
    spawn(launcherPath(), launcherArgs(script), {
      stdio: ['ignore', 'pipe', 'pipe', ...(namespace ? [namespace.fd] : [])],
      env,
      detached: true,
    }),
  )
  const [stdout, stderr] = [child.stdout!, child.stderr!]
  const errors = tail(stderr, 64 << 10)
  const pieces: Buffer[] = []
  let [length, overflowed] = [0, false]
  const end = () => {
    killSession(child.pid!)
    stdout.destroy() // a process that left the session may hold it open
    stderr.destroy()
  }
  stdout.on('data', (piece: Buffer) => {
    length += piece.length
    if (length <= script.most) return void pieces.push(piece)
    overflowed = true
    end()
  })
  script.signal.addEventListener('abort', end)
  try {
    const exit = await exitOf(child, 'close')
    return { ...exit, stdout: Buffer.concat(pieces), stderr: errors(), overflowed }
  } finally {
    script.signal.removeEventListener('abort', end)
  }
}

/** The program leads a process group, which has all of its children except those that left it. */
function killSession(leader: number): void {
  try {
    process.kill(-leader, 'SIGKILL')
  } catch {
    // All of its processes have ended.
  }
}

/** Why the program could not be started, in the launcher's words, which begin with its name; else undefined. */
export function startFailure({ code, stderr }: UserScriptEnd): string | undefined {
  if (code !== 126 && code !== 127) return undefined
  return /^xcluster-launcher: .*: (.*)$/m.exec(stderr)?.[1]
}

/** `exited with status 3`, or the signal that ended it, and the last lines that it printed on standard error. */
export function scriptFailure({ code, signal, stderr }: UserScriptEnd): string {
  const how = signal ? `was killed by ${signal}` : `exited with status ${code}`
  const said = stderr.trim()
  if (said === '') return how
  const lines = said.split('\n').slice(-8)
  return `${how}. It printed:\n${lines.map(line => `  ${line}`).join('\n')}`
}
