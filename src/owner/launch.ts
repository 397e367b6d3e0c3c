import { mkdirSync } from 'node:fs'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type ClusterPlaces, clusterPlaces, messageOf, type Queue } from '../base/index.ts'
import { spawnDetached } from '../sys/index.ts'
import { OwnerError } from './errors.ts'
import { type OwnerMessage, StartPipe, type StartRequest } from './start-pipe.ts'

/** An owner process that is starting its cluster. */
export interface Launch {
  readonly pid: number
  readonly log: string
  /** What it says; ends when it has said `ready` or `failed` and closed, or died. */
  readonly messages: Queue<OwnerMessage>
  /** The answer to `ready`. Without it the owner takes everything back. */
  keep(): void
  /** Asks it to take everything back; `failed` follows once that is done. */
  cancel(): void
  /** Hangs up, as the death of this process would. */
  close(): Promise<void>
}

export interface LaunchOptions {
  readonly env: NodeJS.ProcessEnv
  /** The owner's main module, where it is not that of the built package. */
  readonly script?: string
  readonly nodeArgs?: readonly string[]
}

/** An owner process that has not been told yet what to start, and loads its code meanwhile. */
export interface WaitingOwner {
  readonly pid: number
  /** Tells it, once. */
  start(request: StartRequest): Launch
  /** It ends, as this process's death would have it do, and has done nothing. */
  close(): Promise<void>
}

/** Starts a detached owner process, which starts the cluster. Should this process die first, it takes all back. */
export async function launchOwner(request: StartRequest, options: LaunchOptions): Promise<Launch> {
  return spawnOwner(clusterPlaces(request.places, request.settings.name), options).start(request)
}

/** Starts an owner process for a cluster in these places, which then waits for its orders. */
export function spawnOwner({ logs, ownerLog }: ClusterPlaces, options: LaunchOptions): WaitingOwner {
  makeDirectory(logs)
  const { env, nodeArgs = [], script = built } = options
  const { pid, port } = spawnDetached({ script, nodeArgs, args: [basename(logs)], env, logFile: ownerLog })
  const pipe = StartPipe.starter(port)
  const launch: Launch = {
    pid,
    log: ownerLog,
    messages: pipe.incoming,
    keep: () => pipe.send({ event: 'keep' }),
    cancel: () => pipe.send({ event: 'cancel' }),
    close: () => pipe.close(),
  }
  return {
    pid,
    start(request) {
      pipe.send({ event: 'start', request })
      return launch
    },
    close: launch.close,
  }
}

/** `bin/owner.js`, as far from here in dist as in src. */
const built = fileURLToPath(new URL('../../bin/owner.js', import.meta.url))

function makeDirectory(path: string): void {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 })
  } catch (failure) {
    throw noPlace(path, failure)
  }
}

function noPlace(directory: string, cause: unknown): OwnerError {
  return new OwnerError({
    code: 'STATE_UNWRITABLE',
    kind: 'prerequisite',
    op: 'make directory',
    target: directory,
    reason: messageOf(cause),
    remedy: 'Set HOME or XDG_STATE_HOME to a directory of your own',
    cause,
  })
}
