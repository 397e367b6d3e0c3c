import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import type { Readable } from 'node:stream'
import { isMainThread } from 'node:worker_threads'
import { launcherPath } from '../binding.ts'
import { closeFd } from '../descriptor.ts'
import { attempt, SysError } from '../errors.ts'
import type { NetNamespace } from '../namespaces/namespace.ts'
import { adoptStream, type StreamPort, socketPair } from '../sockets/stream-port.ts'

export interface Identity {
  readonly uid: number
  readonly gid: number
  readonly groups?: readonly number[]
}

export interface LaunchSpec {
  /** An absolute path: the launcher does not search PATH. */
  readonly file: string
  readonly args?: readonly string[]
  /** Open fds of this process; they are 3, 4, … in the child, which gets no others. The caller closes its own. */
  readonly fds?: readonly number[]
  /**
   * The user that the child runs as, without capabilities. Left out, it keeps this process's user with all of
   * root's privileges (in a rootless namespace, those of its root). Unless you are root, you can only give
   * your own user.
   */
  readonly identity?: Identity
  /** The program's environment. Default: none. */
  readonly env?: Readonly<NodeJS.ProcessEnv>
  /** The network namespace to run in, with the user namespace that was made with it. */
  readonly namespace?: NetNamespace | undefined
  /** How many bytes are kept of the end of each output (default 8 KiB). */
  readonly keepOutput?: number
}

/** How a process ended: its exit status, or the signal that killed it. */
export interface Exit {
  readonly code?: number
  readonly signal?: NodeJS.Signals
}

export interface Launched {
  readonly pid: number
  /** Resolves after the last byte of output. */
  readonly exited: Promise<Exit>
  kill(signal: NodeJS.Signals): void
  /** The end of its standard output. */
  stdout(): string
  stderr(): string
}

/**
 * Starts a program through the launcher: unprivileged, with nothing but the given fds, in a session of its
 * own (so that Ctrl-C reaches this process and not the child), killed by the kernel when this process dies. A
 * step that fails in the launcher shows as exit 126 or 127 (program not found) with a line on `stderr()`.
 */
export function launch(spec: LaunchSpec): Launched {
  refuseWorkers(spec.file)
  const { fds = [], namespace, keepOutput = 8 << 10 } = spec
  const inherited = namespace ? [...fds, namespace.fd] : fds
  const child = start(spec.file, () =>
    spawn(launcherPath(), launcherArgs(spec), {
      stdio: ['ignore', 'pipe', 'pipe', ...inherited],
      env: { ...spec.env },
      detached: true,
    }),
  )
  return {
    pid: child.pid!,
    exited: exitOf(child, 'close'),
    kill: signal => void child.kill(signal),
    stdout: tail(child.stdout!, keepOutput),
    stderr: tail(child.stderr!, keepOutput),
  }
}

/** The launcher's command line. The program inherits the launcher's environment if one was given. */
export function launcherArgs(spec: LaunchSpec): string[] {
  const { file, args = [], fds = [], identity, namespace, env } = spec
  return [
    `--parent=${process.pid}`,
    `--keep=${fds.length}`,
    ...(namespace ? [`--namespace=${3 + fds.length}`] : []),
    ...(identity ? identityArgs(identity) : []),
    ...(env ? ['--environment'] : []),
    '--',
    file,
    ...args,
  ]
}

/** Only root can set groups. Other users keep theirs, which may be more than the launcher has room for. */
function identityArgs({ uid, gid, groups = [] }: Identity): string[] {
  const given = process.geteuid!() === 0 ? groups : []
  return [`--uid=${uid}`, `--gid=${gid}`, `--groups=${given.join(',')}`]
}

export interface DetachedSpec {
  /** A script for the Node that runs this process. */
  readonly script: string
  readonly args?: readonly string[]
  /** Node's own options: `['--import', 'jiti/register']`. */
  readonly nodeArgs?: readonly string[]
  readonly env: NodeJS.ProcessEnv
  /** The file to which its stdout and stderr are appended. */
  readonly logFile: string
}

export interface Detached {
  readonly pid: number
  /**
   * The other end is fd 3 of the new process ({@link adoptStream}). When one of the two dies, the other sees
   * its end close.
   */
  readonly port: StreamPort
  readonly exited: Promise<Exit>
}

/** Starts a Node process that outlives this process and its terminal. It does not keep this process alive. */
export function spawnDetached(spec: DetachedSpec): Detached {
  const log = attempt('open log', spec.logFile, () => openSync(spec.logFile, 'a', 0o600))
  const [ours, theirs] = socketPair()
  try {
    const command = [...(spec.nodeArgs ?? []), spec.script, ...(spec.args ?? [])]
    const stdio = ['ignore' as const, log, log, theirs]
    const child = start(spec.script, () =>
      spawn(process.execPath, command, { stdio, env: spec.env, detached: true }),
    )
    child.unref()
    return { pid: child.pid!, port: adoptStream(ours), exited: exitOf(child, 'exit') }
  } catch (failure) {
    closeFd(ours)
    throw failure
  } finally {
    closeSync(log)
    closeFd(theirs)
  }
}

/** Starts a program of the user in a session of its own, without this process's input and output, and leaves it alone. */
export function spawnAside(file: string, args: readonly string[], env: Readonly<NodeJS.ProcessEnv>): void {
  start(file, () => spawn(file, args, { stdio: 'ignore', env, detached: true })).unref()
}

/** Runs a program to its end on this process's own terminal, or on its redirected input and output. */
export function runAttached(file: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<Exit> {
  return exitOf(
    start(file, () => spawn(file, args, { stdio: 'inherit', env })),
    'exit',
  )
}

/**
 * `PR_SET_PDEATHSIG` follows the thread that forked: when a worker ended, the kernel would kill what it
 * started.
 */
export function refuseWorkers(target: string): void {
  if (isMainThread) return
  const reason = 'a process that dies with its parent can only be started from the main thread'
  const remedy = "Start it outside a worker thread (vitest: set pool: 'forks')"
  throw new SysError({ code: 'NOT_MAIN_THREAD', kind: 'usage', op: 'launch', target, reason, remedy })
}

export function start(target: string, run: () => ChildProcess): ChildProcess {
  const child = attempt('launch', target, run)
  if (child.pid !== undefined) return child
  child.on('error', () => {}) // Node emits the same failure again on the next tick
  const reason = 'the system could not start a process (out of processes, open files or memory)'
  const remedy =
    'Allow this user more of them (ulimit -n, ulimit -u), free some memory, or run smaller clusters'
  throw new SysError({ code: 'LAUNCH_FAILED', kind: 'prerequisite', op: 'launch', target, reason, remedy })
}

export function exitOf(child: ChildProcess, event: 'exit' | 'close'): Promise<Exit> {
  return new Promise(resolve =>
    child.once(event, (code: number | null, signal: NodeJS.Signals | null) =>
      resolve({ ...(code !== null && { code }), ...(signal && { signal }) }),
    ),
  )
}

/** Keeps the end of an output: its last `size` bytes. */
export function tail(output: Readable, size: number): () => string {
  let kept = Buffer.alloc(0)
  output.on('data', (bytes: Buffer) => {
    kept = Buffer.concat([kept, bytes]).subarray(-size)
  })
  return () => kept.toString('utf8')
}
