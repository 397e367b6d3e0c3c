import { createServer, type Server as HttpServer, type IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import type { HostStatus, Status } from '../api/index.ts'
import {
  clusterPlaces,
  codeOf,
  type Deferred,
  defer,
  errorToJson,
  onAbort,
  Scope,
  systemClock,
} from '../base/index.ts'
import { type ProcessEnvironment, processEnvironment } from '../host/index.ts'
import type { Seal } from '../net/index.ts'
import { type Answering, ownerParts } from '../owner/index.ts'
import type { Settings } from '../plan/index.ts'
import { makeDirectory } from '../sys/index.ts'
import { cpusDiffer, hostsWith } from './cpus.ts'
import type { EngineValues } from './engine.ts'
import { FleetError } from './errors.ts'
import { addressesOf, factsOf, hostName, lacking } from './facts.ts'
import { Front } from './front.ts'
import { type PlacedLab, placeLab, planLab } from './lab.ts'
import { LeaderLink } from './leader-link.ts'
import type { Go, Hello } from './link.ts'
import { failedOn, hostLost, Members } from './members.ts'
import { openPart, type Part } from './part.ts'
import { makeKeys, mtuBetween, type SealKeys, sealOf } from './seal.ts'
import { listenSecurely, type Purpose } from './secure.ts'

export interface HostOptions {
  readonly settings: Settings
  readonly values: EngineValues
  /** Nets between hosts go through WireGuard. */
  readonly encrypt?: boolean
  /** Milliseconds until all hosts must have come. Default: 60,000. */
  readonly joinMs?: number
  /** Milliseconds until all nodes must be ready after that. */
  readonly timeoutMs?: number | undefined
  readonly log: (text: string) => void
  /** Ends the lab when it aborts: on a member its part alone. */
  readonly signal: AbortSignal
  /** Called when all nodes of the lab are ready: on the leader with all of them, on a member with its own. */
  onReady(status: Status): void | Promise<void>
}

const usualJoinMs = 60_000
const parentEveryMs = 500
/** How long a host that cannot take part tries to tell the leader. */
const refusedWithinMs = 10_000

/**
 * Runs this host's part of a lab, from here to its end. Rank 0 leads: its socket answers for the whole lab. Resolves when
 * everything here has been removed after a stop. Throws the reason for any other end.
 */
export async function runHost(options: HostOptions): Promise<void> {
  try {
    await using scope = new Scope()
    const host = await openHost(options, scope)
    scope.defer(watchParent(options.values, failure => host.end.resolve({ failure })))
    scope.defer(onAbort(options.signal, () => host.end.resolve({})))
    await (options.values.rank === 0 ? lead(host, scope) : follow(host, scope))
  } catch (failure) {
    if (codeOf(failure) !== 'LAB_STOPPED') throw failure
  }
}

/** Why a host's part is to end. */
interface End {
  readonly failure?: unknown
}

interface Host extends HostOptions {
  readonly environment: ProcessEnvironment
  readonly addresses: readonly string[]
  readonly facts: Hello
  /** If the lab is encrypted. */
  readonly keys: SealKeys | undefined
  /** The directories of the lab here, which belong to this process. */
  readonly at: ReturnType<typeof clusterPlaces>
  release(): Promise<void>
  readonly joinWithinMs: number
  /** What the leader's requests are answered with, as soon as there is a part. */
  readonly answering: Deferred<Answering>
  readonly requests: HttpServer
  readonly end: Deferred<End>
}

async function openHost(options: HostOptions, scope: Scope): Promise<Host> {
  const { settings, values } = options
  const environment = processEnvironment()
  const addresses = await addressesOf(values)
  const keys = options.encrypt ? makeKeys() : undefined
  const facts = await factsOf(settings, values, { addresses, environment, publicKey: keys?.publicKey })
  const at = clusterPlaces(environment.places, settings.name)
  const { claim } = await ownerParts()
  makeDirectory(at.logs, 0o700)
  const claimed = await claim(at)
  const release = once(() => claimed.release())
  scope.defer(release)
  const answering = defer<Answering>()
  const requests = createServer({ requestTimeout: 0 })
  requests.on('request', (asked, answer) => {
    answering.promise.then(
      it => it.request(asked, answer),
      () => answer.destroy(),
    )
  })
  requests.on('upgrade', (asked: IncomingMessage, peer: Duplex) => {
    answering.promise.then(
      it => it.upgrade(asked, peer),
      () => peer.destroy(),
    )
  })
  answering.promise.catch(() => {})
  const joinWithinMs = options.joinMs ?? usualJoinMs
  return {
    ...options,
    ...{
      environment,
      addresses,
      facts,
      keys,
      at,
      release,
      joinWithinMs,
      answering,
      requests,
      end: defer<End>(),
    },
  }
}

/** Listens to the other hosts. `linked` gets the members' links. */
async function listen(
  { values, addresses, requests }: Host,
  scope: Scope,
  linked: (socket: TLSSocket) => void,
): Promise<void> {
  const sockets = new Set<TLSSocket>()
  const server = await listenSecurely({
    ...values,
    address: addresses[values.rank]!,
    port: values.ports[0]!,
    host: hostName(values, values.rank),
    accepted(socket, purpose: Purpose) {
      sockets.add(socket)
      socket.on('close', () => sockets.delete(socket))
      if (purpose === 'link') linked(socket)
      else requests.emit('connection', socket)
    },
  })
  scope.defer(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
}

async function lead(host: Host, scope: Scope): Promise<void> {
  const { values, facts, settings, addresses, joinWithinMs, end, encrypt = false } = host
  if (facts.lacks !== undefined) throw lacking(hostName(values, 0), facts.lacks)
  let part: Part | undefined
  const members: Members = new Members({
    values,
    lab: settings.name,
    mine: facts,
    event: (_, event) => {
      if (event.type !== 'cluster') part?.owner.relay(event)
    },
    lost(rank, reason) {
      if (part?.owner.status().state !== 'ready') return
      if (values.endsTogether) end.resolve({ failure: hostLost(hostName(values, rank), reason) })
      else tellLost(part, placed!, { rank, text: `${hostName(values, rank)}: ${reason}` })
    },
  })
  let placed: PlacedLab | undefined
  await listen(host, scope, socket => members.accept(socket))
  scope.defer(() => members.close())
  try {
    const hellos = await Promise.race([members.gather(joinWithinMs), ended(end)])
    const rooms = hellos.map(hello => ({ ...hello, name: hostName(values, hello.rank) }))
    const underlay = Math.min(...hellos.map(({ underlayMtu }) => underlayMtu))
    const mtu = mtuBetween(underlay, addresses[0]!, encrypt)
    const placement = placeLab(settings, rooms)
    const narrow = rooms.filter(({ underlayMtu }) => underlayMtu === underlay).map(({ name }) => name)
    const known = narrow.length < rooms.length && { narrow: narrow.join(', ') }
    placed = planLab(settings, { placement, mtu, ...known, job: values.job })
    const publicKeys = encrypt ? hellos.map(hello => hello.publicKey!) : undefined
    members.go({ type: 'go', placement: [...placement], mtu, ...(publicKeys && { publicKeys }) })
    const hosts = hostsWith(hellos, values.peers)
    const note = cpusDiffer(hosts)
    if (note !== undefined) host.log(note)
    const seal = sealFor(host, mtu, publicKeys)
    part = await startLeading(host, { members, placed, hosts, seal }, scope)
    const status = await readyOrEnd(part, host)
    members.started()
    await host.onReady(status)
    await untilEnd(part, end)
  } catch (failure) {
    members.refuse(failure)
    await part?.kill()
    throw failure
  }
}

/** What this host's WireGuard gets, if the lab is encrypted. */
function sealFor(
  { keys, values, addresses }: Host,
  mtu: number,
  publicKeys: readonly string[] | undefined,
): Seal | undefined {
  return keys && publicKeys && sealOf({ values, keys, publicKeys, addresses, mtu })
}

interface Leading {
  readonly members: Members
  readonly placed: PlacedLab
  readonly hosts: readonly HostStatus[]
  readonly seal: Seal | undefined
}

async function startLeading(
  host: Host,
  { members, placed, hosts, seal }: Leading,
  scope: Scope,
): Promise<Part> {
  const { values, addresses, at, log } = host
  const { Listener, serve } = await ownerParts()
  let front: Front | undefined
  let listener: Awaited<ReturnType<typeof Listener.open>> | undefined
  const part = await openPart({
    ...host,
    ...{ lab: placed, places: host.environment.places, logs: at.logs, seal },
    onEvent: () => {},
    counters: () => front?.counters(),
    others: () => members.ready(),
    failed: (failure, whose) =>
      members.refuse(whose === 'own' ? failedOn(hostName(values, 0), errorToJson(failure)) : failure),
    leave: async () => {
      await members.close()
      listener?.stopListening()
      await host.release()
    },
  })
  const { owner } = part
  stopWith(part, members)
  const local = await serve({ owner, server: host.requests, log })
  host.answering.resolve(local)
  const remotes = values.peers.map((_, rank) => ({
    ...{ name: hostName(values, rank), address: addresses[rank]!, port: values.ports[0]! },
    ...{ secret: values.secret, job: values.job, leaving: members.leaving(rank) },
  }))
  const about = { hosts, encrypted: seal !== undefined }
  front = new Front({ lab: placed, remotes, local, about, gone: rank => members.gone(rank) })
  listener = await Listener.open({ socket: at.socket, log, load: async () => front! })
  scope.defer(() => listener!.close())
  return part
}

/** As soon as the leader's part stops, for any reason, the members do. */
function stopWith({ owner }: Part, members: Members): void {
  const events = owner.events()
  void (async () => {
    for await (const event of events)
      if (event.type === 'cluster' && event.state === 'stopping') members.stop()
  })()
}

/** The nodes of a host that has gone are failed; the others go on. */
function tellLost(
  { owner }: Part,
  { plan, placement }: PlacedLab,
  { rank, text }: { readonly rank: number; readonly text: string },
): void {
  owner.notice(`lost ${text}`)
  for (const { id, name } of plan.nodes)
    if (placement.get(id) === rank)
      owner.relay({ type: 'node', id, name, state: 'failed', ms: 0, reason: text })
}

async function follow(host: Host, scope: Scope): Promise<void> {
  const { values, at } = host
  const { serve } = await ownerParts()
  await listen(host, scope, socket => socket.destroy())
  const { link, go } = await join(host, scope)
  const seal = sealFor(host, go.mtu, go.publicKeys)
  const placement = new Map(go.placement)
  const lab = planLab(host.settings, { placement, mtu: go.mtu, job: values.job })
  const part = await openPart({
    ...host,
    ...{ lab, places: host.environment.places, logs: at.logs, seal },
    onEvent: event => link.send({ type: 'event', event }),
    leave: host.release,
  })
  const answering = await serve({ owner: part.owner, server: host.requests, log: host.log })
  host.answering.resolve(answering)
  scope.defer(() => answering.close())
  try {
    const status = await readyOrEnd(part, host)
    link.send({ type: 'ready' })
    await host.onReady(status)
    await untilEnd(part, host.end)
  } catch (failure) {
    link.send({ type: 'failed', error: errorToJson(failure) })
    await part.kill()
    throw failure
  } finally {
    link.send({ type: 'stopped' })
  }
}

/** Tells the leader what this host is, and waits for its part. */
async function join(
  { values, addresses, facts, end, joinWithinMs }: Host,
  scope: Scope,
): Promise<{ readonly link: LeaderLink; readonly go: Go }> {
  const { lacks } = facts
  const joinMs = lacks === undefined ? joinWithinMs : Math.min(joinWithinMs, refusedWithinMs)
  const failed = (failure?: unknown) => end.resolve({ failure })
  try {
    const opening = LeaderLink.open({ values, address: addresses[0]!, joinMs, end: failed })
    const link = await Promise.race([opening, ended(end)])
    scope.defer(() => link.close())
    return { link, go: await Promise.race([link.join(facts), ended(end)]) }
  } catch (failure) {
    // A leader that lacks the same has ended already.
    const isAlone = lacks !== undefined && ['HOST_ABSENT', 'HOST_LOST'].includes(codeOf(failure) ?? '')
    throw isAlone ? lacking(hostName(values, values.rank), lacks) : failure
  }
}

/** The status when this part is ready. An end before that ends the part, and is thrown. */
async function readyOrEnd({ owner }: Part, { end }: Host): Promise<Status> {
  return await Promise.race([owner.ready, ended(end)])
}

/** Resolves when the part has been stopped, by a request or by its end here. Throws the reason of an end that has one. */
async function untilEnd({ owner }: Part, end: Deferred<End>): Promise<void> {
  const { failure } = await Promise.race([end.promise, owner.gone.then((): End => ({}))])
  if (failure !== undefined) throw failure
  await owner.stop()
}

/** Rejects when the host's part is to end. */
async function ended(end: Deferred<End>): Promise<never> {
  const { failure } = await end.promise
  throw failure ?? new FleetError({ code: 'LAB_STOPPED', op: 'start lab', reason: 'it was stopped' })
}

/** Ends the part when the process that started this one has ended: an engine's step that was killed leaves its processes. */
function watchParent({ endsWithParent }: EngineValues, gone: (reason: FleetError) => void): () => void {
  if (!endsWithParent) return () => {}
  const parent = process.ppid
  let cancel = () => {}
  const look = () => {
    if (process.ppid === parent) cancel = systemClock.after(parentEveryMs, look)
    else
      gone(
        new FleetError({ code: 'ENGINE_GONE', op: 'run lab', reason: 'what started this process has ended' }),
      )
  }
  look()
  return () => cancel()
}

function once(work: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | undefined
  return () => {
    done ??= work()
    return done
  }
}
