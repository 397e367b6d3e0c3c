import { mkdir } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { clusterPlaces, messageOf, type Queue, readTraceAreas, traceVariable } from '../base/index.ts'
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
  /** The owner's main module, where it is not the one beside this file. */
  readonly script?: string
  readonly nodeArgs?: readonly string[]
}

/**
 * Starts a detached owner process, which starts the cluster. Should this process die first, it takes all back. It
 * prints in its log what `env.XCLUSTER_TRACE` names.
 */
export async function launchOwner(
  request: Omit<StartRequest, 'trace'>,
  options: LaunchOptions,
): Promise<Launch> {
  const trace = readTraceAreas(options.env[traceVariable])
  const { logs, ownerLog } = clusterPlaces(request.places, request.settings.name)
  await mkdir(logs, { recursive: true, mode: 0o700 }).catch(failure => {
    throw noPlace(logs, failure)
  })
  const { env, nodeArgs = [], script = beside } = options
  const { pid, port } = spawnDetached({
    script,
    nodeArgs,
    args: [request.settings.name],
    env,
    logFile: ownerLog,
  })
  const pipe = StartPipe.starter(port)
  pipe.send({ event: 'start', request: { ...request, trace } })
  return {
    pid,
    log: ownerLog,
    messages: pipe.incoming,
    keep: () => pipe.send({ event: 'keep' }),
    cancel: () => pipe.send({ event: 'cancel' }),
    close: () => pipe.close(),
  }
}

/** `main.js` in dist, `main.ts` where the sources run as they are. */
const beside = fileURLToPath(import.meta.url).replace(/launch(\.[jt]s)$/, 'main$1')

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
