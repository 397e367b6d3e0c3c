import { spawn } from 'node:child_process'
import { launcherPath } from '../binding.ts'
import type { NetNamespace } from '../namespaces/namespace.ts'
import { type Exit, exitOf, launcherArgs, refuseWorkers, start, tail } from './launch.ts'

/** A program of a user's, which answers on its standard output. */
export interface UserScript {
  /** An absolute path. */
  readonly file: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string | undefined>>
  /** Where it runs, as root of it; absent: where we do, as who we are. */
  readonly namespace?: NetNamespace | undefined
  /** Ends it, and all that it has started. */
  readonly signal: AbortSignal
  /** Bytes of standard output that it may write; more ends it. */
  readonly most: number
}

export interface UserScriptEnd extends Exit {
  /** All of it. */
  readonly stdout: string
  /** The end of it, 64 KiB. */
  readonly stderr: string
  /** It was ended because it wrote too much. */
  readonly overflowed: boolean
}

/**
 * Runs it to its end, which is that of its output, as for a shell's `$(…)`: what it leaves running has to let go of
 * that. It has nothing to read, and dies with this process. One that cannot be started has exit 126 or 127.
 */
export async function runUserScript(script: UserScript): Promise<UserScriptEnd> {
  refuseWorkers(script.file)
  script.signal.throwIfAborted()
  const { namespace, env } = script
  const child = start(script.file, () =>
    spawn(launcherPath(), launcherArgs(script, true), {
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
    stdout.destroy() // somebody may have left the session and hold it
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
    return { ...exit, stdout: Buffer.concat(pieces).toString('utf8'), stderr: errors(), overflowed }
  } finally {
    script.signal.removeEventListener('abort', end)
  }
}

/** It leads the process group that all its children are in which did not leave it. */
function killSession(leader: number): void {
  try {
    process.kill(-leader, 'SIGKILL')
  } catch {
    // They are gone.
  }
}
