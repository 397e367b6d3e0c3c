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
  /** The owner's main module. Absent: the one beside this file. */
  readonly script?: string
  readonly nodeArgs?: readonly string[]
}

/**
 * Starts a detached owner process, which starts the cluster. If this process dies before it has sent `keep`, the owner
 * removes everything again. The owner prints in its log the messages of the areas in `env.XCLUSTER_TRACE`.
 */
export async function launchOwner(
  request: Omit<StartRequest, 'trace'>,
  options: LaunchOptions,
): Promise<Launch> {
  const trace = readTraceAreas(options.env[traceVariable])
  const { logs, ownerLog } = clusterPlaces(request.places, request.settings.name)
  await mkdir(logs, { recursive: true, mode: 0o700 }).catch(failure => {
    throw cannotMake(logs, failure)
  })
  const { env, nodeArgs = [], script = ownerMain } = options
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

/** `main.js` in dist, `main.ts` where the sources run without compilation. */
const ownerMain = fileURLToPath(import.meta.url).replace(/launch(\.[jt]s)$/, 'main$1')

function cannotMake(directory: string, cause: unknown): OwnerError {
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
