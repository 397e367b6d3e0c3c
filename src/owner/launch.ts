import { basename, dirname } from 'node:path'
import {
  type ClusterPlaces,
  clusterPlaces,
  type Queue,
  readTraceAreas,
  reasonOf,
  traceVariable,
} from '../base/index.ts'
import { makeDirectory, packageRoot, requireTrustedPlace, spawnDetached } from '../sys/index.ts'
import { OwnerError } from './errors.ts'
import { type OwnerMessage, StartPipe, type StartRequest } from './start-pipe.ts'

/** An owner process that is starting its cluster. */
export interface Launch {
  readonly pid: number
  readonly log: string
  /** Its messages. They end when it closes the pipe after `ready` and `keep`, or after `failed`, or when it dies. */
  readonly messages: Queue<OwnerMessage>
  /** The answer to `ready`. Without it the owner removes everything that it has started. */
  keep(): void
  /** Cancels the start. `failed` follows when everything that it had started has been removed. */
  cancel(): void
  /** Closes the pipe. The owner sees the same as when this process dies. */
  close(): Promise<void>
}

export interface LaunchOptions {
  readonly env: NodeJS.ProcessEnv
  /** The owner's main module. Absent: that of the built package. */
  readonly script?: string
  readonly nodeArgs?: readonly string[]
}

/** What a start asks of an owner; its trace areas come from the environment. */
export type StartOrder = Omit<StartRequest, 'trace'>

/** An owner process that has no start request yet, and loads its code meanwhile. */
export interface WaitingOwner {
  readonly pid: number
  /** Sends the start request, once. Throws TRACE_AREA when XCLUSTER_TRACE names an unknown area. */
  start(request: StartOrder): Launch
  /** Closes the pipe: an owner without a request then ends and has done nothing. */
  close(): Promise<void>
}

/**
 * Starts a detached owner process, which starts the cluster. If this process dies before it has sent `keep`, the owner
 * removes everything again. The owner prints in its log the messages of the areas in `env.XCLUSTER_TRACE`.
 */
export async function launchOwner(request: StartOrder, options: LaunchOptions): Promise<Launch> {
  readTraceAreas(options.env[traceVariable]) // refused before there is a process
  return spawnOwner(clusterPlaces(request.places, request.settings.name), options).start(request)
}

/** Starts an owner process for a cluster in these places. It waits for its request. */
export function spawnOwner({ logs, ownerLog }: ClusterPlaces, options: LaunchOptions): WaitingOwner {
  requireTrustedPlace('state', dirname(logs))
  makeLogs(logs)
  const { env, nodeArgs = [], script = `${packageRoot()}bin/owner.js` } = options
  const { pid, port } = spawnDetached({ script, nodeArgs, args: [basename(logs)], env, logFile: ownerLog })
  const pipe = StartPipe.starter(port)
  const launch: Launch = {
    pid,
    log: ownerLog,
    messages: pipe.incoming,
    keep: () => pipe.send({ type: 'keep' }),
    cancel: () => pipe.send({ type: 'cancel' }),
    close: () => pipe.close(),
  }
  return {
    pid,
    start(request) {
      pipe.send({ type: 'start', request: { ...request, trace: readTraceAreas(env[traceVariable]) } })
      return launch
    },
    close: launch.close,
  }
}

function makeLogs(path: string): void {
  try {
    makeDirectory(path, 0o700)
  } catch (failure) {
    throw cannotMake(path, failure)
  }
}

function cannotMake(directory: string, cause: unknown): OwnerError {
  return new OwnerError({
    code: 'STATE_UNWRITABLE',
    kind: 'prerequisite',
    op: 'make directory',
    target: directory,
    reason: reasonOf(cause),
    remedy: 'Set HOME or XDG_STATE_HOME to a directory of your own',
    cause,
  })
}
