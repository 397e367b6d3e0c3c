import { mkdir } from 'node:fs/promises'
import type { ClusterEvent } from '../api/index.ts'
import { clusterPlaces, errorToJson, messageOf, type Port, printTraces, version } from '../base/index.ts'
import type { Settings } from '../plan/index.ts'
import { OwnerError } from './errors.ts'
import type { Api } from './http/server.ts'
import { type ClusterMaker, Owner } from './owner.ts'
import { type Claim, claim } from './runtime-directory.ts'
import { type OwnerMessage, type StarterMessage, StartPipe, type StartRequest } from './start-pipe.ts'

type Pipe = StartPipe<StarterMessage, OwnerMessage>

/** What an owner process needs: its start pipe, a way to make clusters, and a log. */
export interface OwnerDependencies {
  readonly port: Port
  readonly maker: ClusterMaker
  /** Says something with its time. */
  readonly log: (text: string) => void
  /** Writes a line where `log` does: one that has its time in it. */
  readonly print: (line: string) => void
}

/**
 * Runs an owner process. Resolves when everything of its cluster has been removed; the caller then ends the process.
 * When the start fails, it sends the starter `failed` after the removal.
 */
export async function runOwner(dependencies: OwnerDependencies): Promise<void> {
  await using pipe = StartPipe.owner(dependencies.port)
  try {
    const request = await requestFrom(pipe)
    printTraces(request.trace ?? [], dependencies.print)
    await runCluster(dependencies, pipe, request)
  } catch (failure) {
    dependencies.log(messageOf(failure))
    pipe.send({ event: 'failed', error: errorToJson(failure) })
  }
}

async function runCluster(
  { maker, log }: OwnerDependencies,
  pipe: Pipe,
  request: StartRequest,
): Promise<void> {
  const settings = request.settings as unknown as Settings
  const plan = maker.plan(settings)
  const at = clusterPlaces(request.places, plan.name)
  await mkdir(at.logs, { recursive: true, mode: 0o700 })
  const claimed = await claim(at)
  log(`owner of cluster '${plan.name}' starts, pid ${process.pid}, xcluster ${version}`)
  const owner = new Owner({
    plan,
    log,
    start: hooks =>
      maker.start(settings, {
        signal: hooks.signal!,
        onEvent: event => {
          hooks.onEvent?.(event)
          forward(pipe, event)
        },
        places: request.places,
        logs: at.logs,
        ...(request.timeoutMs !== undefined && { timeoutMs: request.timeoutMs }),
      }),
    leave: () => leave(claimed, api),
  })
  // fastify and zod take a tenth of a second to load, which costs no time while the first guest boots.
  const api = import('./http/server.ts').then(({ serve }) => serve({ owner, socket: at.socket, log }))
  const signals = stopOnSignals(owner, log)
  try {
    await api
    await reportStart(pipe, owner)
    await owner.gone
  } finally {
    await owner.stop()
    await (await api).close()
    signals()
    log('gone')
  }
}

/** Reports the start to the starter. Stops the cluster unless the starter answers `keep`. */
async function reportStart(pipe: Pipe, owner: Owner): Promise<void> {
  const kept = isKept(pipe)
  kept.then(keep => (keep ? undefined : owner.stop())).catch(() => {}) // `runCluster` awaits `stop` itself
  const status = await owner.ready
  pipe.send({ event: 'ready', status })
  await kept
  await pipe.close()
}

async function isKept(pipe: Pipe): Promise<boolean> {
  try {
    for await (const message of pipe.incoming) {
      if (message.event !== 'start') return message.event === 'keep'
    }
  } catch {
    // A malformed message is not a `keep`.
  }
  return false
}

async function requestFrom(pipe: Pipe): Promise<StartRequest> {
  const { value } = await pipe.incoming.next()
  if (value?.event !== 'start') throw noRequest()
  return value.request
}

function forward(pipe: Pipe, event: ClusterEvent): void {
  if (event.event !== 'cluster') pipe.send(event)
}

/** Closes the socket before it releases the lock: that unlinks the path, which the next owner may use afterwards. */
async function leave(claimed: Claim, api: Promise<Api>): Promise<void> {
  await api.then(({ stopListening }) => stopListening()).catch(() => {}) // without an API there is nothing to close
  await claimed.release()
}

function stopOnSignals(owner: Owner, log: (text: string) => void): () => void {
  const stop = (signal: string) => {
    log(`${signal}: stopping`)
    owner.stop().catch(failure => log(String(failure)))
  }
  const names = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const
  for (const name of names) process.on(name, stop)
  return () => {
    for (const name of names) process.off(name, stop)
  }
}

function noRequest(): OwnerError {
  const reason = 'the pipe ended before a start request came'
  return new OwnerError({ code: 'START_PIPE_GARBAGE', op: 'read start pipe', reason })
}
