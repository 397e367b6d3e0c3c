import { mkdir } from 'node:fs/promises'
import type { ClusterEvent } from '../api/index.ts'
import { clusterPlaces, errorToJson, messageOf, type Port, version } from '../base/index.ts'
import type { Settings } from '../plan/index.ts'
import { OwnerError } from './errors.ts'
import { Listener } from './http/listener.ts'
import { type ClusterMaker, Owner } from './owner.ts'
import { type Claim, claim } from './runtime-directory.ts'
import { type OwnerMessage, type StarterMessage, StartPipe, type StartRequest } from './start-pipe.ts'

type Pipe = StartPipe<StarterMessage, OwnerMessage>

/** What an owner process is made of: its start pipe, and how clusters are made. */
export interface OwnerDependencies {
  readonly port: Port
  readonly maker: ClusterMaker
  readonly log: (text: string) => void
}

/**
 * The life of an owner process. Resolves when nothing of its cluster is left; the caller then ends the process.
 * What goes wrong before the cluster is ready is told to the starter, after it has been taken back.
 */
export async function runOwner(world: OwnerDependencies): Promise<void> {
  await using pipe = StartPipe.owner(world.port)
  try {
    const request = await requestFrom(pipe)
    if (request) await own(world, pipe, request)
  } catch (failure) {
    world.log(messageOf(failure))
    pipe.send({ event: 'failed', error: errorToJson(failure) })
  }
}

async function own(world: OwnerDependencies, pipe: Pipe, request: StartRequest): Promise<void> {
  const { maker, log } = world
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
  const api = listen(owner, at.socket, log)
  const signals = stopOnSignals(owner, log)
  try {
    const listener = await api
    if (await hear(pipe, owner)) listener.load()
    await owner.gone
  } finally {
    await owner.stop()
    await (await api).close()
    signals()
    log('gone')
  }
}

/** The API's socket; what answers there comes later, see {@link Listener}. */
function listen(owner: Owner, socket: string, log: OwnerDependencies['log']): Promise<Listener> {
  return Listener.open({
    socket,
    log,
    load: async server => (await import('./http/server.ts')).serve({ owner, server, log }),
  })
}

/** Tells the starter what comes of it, and gives what it says: all is taken back unless it says to keep it. */
async function hear(pipe: Pipe, owner: Owner): Promise<boolean> {
  const kept = heardKeep(pipe)
  kept.then(keep => (keep ? undefined : owner.stop())).catch(() => {}) // `stop` itself is awaited by `own`
  const status = await owner.ready
  pipe.send({ event: 'ready', status })
  const keep = await kept
  await pipe.close()
  return keep
}

async function heardKeep(pipe: Pipe): Promise<boolean> {
  try {
    for await (const message of pipe.incoming) {
      if (message.event !== 'start') return message.event === 'keep'
    }
  } catch {
    // Garbage is nobody's wish to keep it.
  }
  return false
}

/** Undefined when nothing was to be started after all. */
async function requestFrom(pipe: Pipe): Promise<StartRequest | undefined> {
  const { value } = await pipe.incoming.next()
  if (value && value.event !== 'start') throw unasked()
  return value?.request
}

function forward(pipe: Pipe, event: ClusterEvent): void {
  if (event.event !== 'cluster') pipe.send(event)
}

/** Not listening comes first: closing the socket unlinks its path, which the next owner may use after release. */
async function leave(claimed: Claim, api: Promise<Listener>): Promise<void> {
  await api.then(listener => listener.stopListening()).catch(() => {}) // no API, nothing to close
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

function unasked(): OwnerError {
  const reason = 'it began with something else than what to start'
  return new OwnerError({ code: 'START_PIPE_GARBAGE', op: 'read start pipe', reason })
}
