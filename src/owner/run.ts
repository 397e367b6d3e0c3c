import type { ClusterEvent } from '../api/index.ts'
import { clusterPlaces, errorToJson, messageOf, type Port, printTraces, version } from '../base/index.ts'
import type { Settings } from '../plan/index.ts'
import { makeDirectory } from '../sys/index.ts'
import { OwnerError } from './errors.ts'
import { Listener } from './http/listener.ts'
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
    if (!request) return
    printTraces(request.trace ?? [], dependencies.print)
    await runCluster(dependencies, pipe, request)
  } catch (failure) {
    dependencies.log(messageOf(failure))
    pipe.send({ type: 'failed', error: errorToJson(failure) })
  }
}

async function runCluster(
  { maker, log }: OwnerDependencies,
  pipe: Pipe,
  request: StartRequest,
): Promise<void> {
  const settings = request.settings as unknown as Settings
  const { from, freezable, timeoutMs } = request
  const plan = from ? { ...from.about.plan, name: from.name } : maker.plan(settings)
  const at = clusterPlaces(request.places, plan.name)
  makeDirectory(at.logs, 0o700)
  const claimed = await claim(at)
  log(`owner of cluster '${plan.name}' starts, pid ${process.pid}, xcluster ${version}`)
  const owner = new Owner({
    plan,
    log,
    captures: `${at.logs}/captures`,
    start: hooks =>
      maker.start(settings, {
        signal: hooks.signal!,
        onEvent: event => {
          hooks.onEvent?.(event)
          forward(pipe, event)
        },
        places: request.places,
        logs: at.logs,
        ...(timeoutMs !== undefined && { timeoutMs }),
        ...(freezable && { freezable }),
        ...(from && { from }),
      }),
    leave: () => leave(claimed, api),
  })
  const api = listen(owner, at.socket, log)
  const signals = stopOnSignals(owner, log)
  try {
    const listener = await api
    if (await reportStart(pipe, owner)) listener.load()
    await owner.gone
  } finally {
    await owner.stop()
    await (await api).close()
    signals()
    log('gone')
  }
}

/** Listens on the API's socket. What answers there is loaded later, see {@link Listener}. */
function listen(owner: Owner, socket: string, log: OwnerDependencies['log']): Promise<Listener> {
  return Listener.open({
    socket,
    log,
    load: async server => (await import('./http/server.ts')).serve({ owner, server, log }),
  })
}

/** Reports the start to the starter, and returns whether it answers `keep`. Otherwise it stops the cluster. */
async function reportStart(pipe: Pipe, owner: Owner): Promise<boolean> {
  const kept = isKept(pipe)
  kept.then(keep => (keep ? undefined : owner.stop())).catch(() => {}) // `runCluster` awaits `stop` itself
  const status = await owner.ready
  pipe.send({ type: 'ready', status })
  const keep = await kept
  await pipe.close()
  return keep
}

async function isKept(pipe: Pipe): Promise<boolean> {
  try {
    for await (const message of pipe.incoming) {
      if (message.type !== 'start') return message.type === 'keep'
    }
  } catch {
    // A malformed message is not a `keep`.
  }
  return false
}

/** Undefined when the pipe ends without a request: there is nothing to start. */
async function requestFrom(pipe: Pipe): Promise<StartRequest | undefined> {
  const { value } = await pipe.incoming.next()
  if (value && value.type !== 'start') throw noRequest()
  return value?.request
}

function forward(pipe: Pipe, event: ClusterEvent): void {
  if (event.type === 'counters') return // the starter does not ask for them
  if (event.type !== 'cluster') pipe.send(event)
}

/** Closes the socket before it releases the lock: that unlinks the path, which the next owner may use afterwards. */
async function leave(claimed: Claim, api: Promise<Listener>): Promise<void> {
  await api.then(listener => listener.stopListening()).catch(() => {}) // without an API there is nothing to close
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
  const reason = 'the first message is not a start request'
  return new OwnerError({ code: 'START_PIPE_GARBAGE', op: 'read start pipe', reason })
}
