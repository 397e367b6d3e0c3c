import type {
  Applied,
  ClusterEvent,
  ClusterState,
  Counters,
  ImpairedLink,
  ReachResult,
  Status,
} from '../api/index.ts'
import type { Port, Queue } from '../base/index.ts'
import { defer, inTurns, nodeName, unlessAborted, withTimes } from '../base/index.ts'
import type { Dns } from '../dns/index.ts'
import {
  type Copied,
  type CopyGuest,
  type CopyOptions,
  getBytes,
  getContent,
  getFiles,
  type PutOptions,
  type PutSource,
  putFiles,
} from '../files/index.ts'
import {
  type CommandOptions,
  type CommandText,
  reachMs,
  reachScript,
  readReach,
  shaped,
} from '../guest/index.ts'
import type { Capture, Fabric, Packet, PacketWanted, Recording } from '../net/index.ts'
import type { ClusterPlan, Topology } from '../plan/index.ts'
import { reachTargets } from '../plan/index.ts'
import {
  type CommandResult,
  type RunningCommand,
  relayCommand,
  spawnCommand,
  wordsOf,
} from '../stream/index.ts'
import type { Console } from '../vm/index.ts'
import { applyTopology } from './apply.ts'
import { type EventOptions, listenTo } from './counted-events.ts'
import { readCounters } from './counters.ts'
import { ClusterFaults } from './dns/faults.ts'
import type { ClusterNames } from './dns/own-names.ts'
import { notBegun, waitAborted } from './errors.ts'
import type { FrozenCluster } from './lab/frozen.ts'
import { refuseFreeze } from './lab/refuse.ts'
import { isOwnNet, saveNodes } from './lab/save.ts'
import { metricsText } from './metrics.ts'
import { type CaptureSpec, ClusterCaptures, type PacketOptions } from './network/captures.ts'
import type { LinkImpairment } from './network/impairments.ts'
import type { ClusterNode } from './nodes/node.ts'
import { Nodes } from './nodes/nodes.ts'
import type { Parts } from './parts.ts'
import { topologyRead } from './topology.ts'
import type {
  ApplyOptions,
  Cluster,
  GetTarget,
  SavedSnapshot,
  SaveOptions,
  SpawnOptions,
  VerifyOptions,
  WaitOptions,
} from './types.ts'
import { type Verified, verifyCluster, withImpaired } from './verify.ts'

/** How many nodes ping at the same time: on two processors, more of them only lose each other's packets. */
const pingingAtOnce = 4

/** Milliseconds that routing may take to settle, unless a caller says otherwise. */
const convergenceMs = 3000

/** A cluster after its start: `ready → stopping → stopped`. When one node fails, the others continue. */
export class RunningCluster implements Cluster {
  readonly #parts: Parts
  readonly #nodes: Nodes
  readonly dnsFaults: ClusterFaults
  readonly #captures: ClusterCaptures
  #state: ClusterState = 'ready'
  #stopping: Promise<void> | undefined
  readonly #ended = defer()

  constructor(parts: Parts) {
    this.#parts = parts
    this.#nodes = new Nodes(parts)
    const { dns, fabric, scope, world } = parts
    const plan = () => this.plan
    this.dnsFaults = new ClusterFaults({ dns, fabric, plan })
    this.#captures = scope.add(new ClusterCaptures({ fabric, clock: world.clock, plan }))
  }

  get plan(): ClusterPlan {
    return this.#nodes.plan
  }

  get state(): ClusterState {
    return this.#state
  }

  /** Resolves when it has been stopped. */
  get ended(): Promise<void> {
    return this.#ended.promise
  }

  get dns(): Dns | undefined {
    return this.#parts.dns
  }

  get names(): ClusterNames {
    return this.#parts.names
  }

  status(): Status {
    const { host, fabric, dns, startedAt, readyMs } = this.#parts
    const { plan, nodes } = this.#nodes
    return {
      v: 1,
      name: plan.name,
      topology: plan.topology,
      state: this.#state,
      fabric: fabric.kind,
      ...placeOf(this.#state === 'stopped' ? undefined : fabric),
      ...(dns && this.#state !== 'stopped' && { dns: { address: dns.address, port: dns.port } }),
      owner: { pid: process.pid },
      accel: host.accel.kind,
      kernel: host.image.kernelVersion,
      startedAt,
      readyMs,
      nodes: nodes.map(node => node.status()),
    }
  }

  events(options: EventOptions = {}): Queue<ClusterEvent> {
    const { events, world } = this.#parts
    return listenTo(events, options, { clock: world.clock, read: () => this.counters() })
  }

  // The interface has what each encoding gives.
  async exec(
    id: number,
    command: readonly string[] | string,
    options: CommandOptions = {},
  ): Promise<CommandResult & CommandText> {
    const node = this.#nodes.node(id)
    const result = await node.exec(command, options)
    return shaped(result, options, { guest: node.plan.name, command }) as CommandResult & CommandText
  }

  async spawn(
    id: number,
    command: readonly string[] | string,
    { signal, ...options }: SpawnOptions = {},
  ): Promise<RunningCommand> {
    const { clock } = this.#parts.world
    const spec = { words: wordsOf(command), ...options }
    return await spawnCommand(this.#nodes.node(id).streams, spec, { clock, ...(signal && { signal }) })
  }

  put(
    id: number,
    source: PutSource | readonly string[],
    place: string | (PutOptions & { readonly path: string }),
  ): Promise<Copied> {
    const sources = Array.isArray(source) ? (source as readonly string[]) : [source as PutSource]
    return putFiles(this.#guest(id), sources, typeof place === 'string' ? { path: place } : place)
  }

  // The interface has what each target gives.
  async get(
    id: number,
    path: string | readonly string[],
    place?: GetTarget | (CopyOptions & { readonly target: GetTarget }),
  ): Promise<Copied & Buffer> {
    const guest = this.#guest(id)
    const paths = typeof path === 'string' ? [path] : path
    const [first = ''] = paths
    if (place === undefined) return (await getBytes(guest, first)) as Copied & Buffer
    const { target, ...options } = typeof place === 'object' && 'target' in place ? place : { target: place }
    const copied =
      typeof target === 'string'
        ? await getFiles(guest, paths, { ...options, target })
        : await getContent(guest, first, { ...options, target })
    return copied as Copied & Buffer
  }

  #guest(id: number): CopyGuest {
    return { name: this.#nodes.node(id).plan.name, spawn: words => this.spawn(id, words) }
  }

  relayCommand(id: number, client: Port): void {
    relayCommand(this.#nodes.node(id).streams, client)
  }

  console(id: number): Console {
    return this.#nodes.node(id).console
  }

  counters(): Promise<Counters> {
    return readCounters(this.#parts, this.#nodes.nodes)
  }

  async impair({ node: id, dev, ...impairment }: LinkImpairment): Promise<AsyncDisposable> {
    const node = this.#nodes.node(id)
    const { impairments } = this.#parts
    await impairments.set(node, dev, impairment)
    const end = () => impairments.set(node, dev, { direction: impairment.direction ?? 'sent' })
    return { [Symbol.asyncDispose]: async () => (node.state === 'ready' ? await end() : undefined) }
  }

  impaired(): ImpairedLink[] {
    return this.#parts.impairments.list(this.#nodes.nodes)
  }

  async metrics(): Promise<string> {
    const { dns } = this.#parts
    return metricsText(this.status(), await this.counters()) + (dns?.metricsText() ?? '')
  }

  // The interface has what each kind of argument gives.
  async capture(what: number | CaptureSpec, dev?: string, file?: string): Promise<Recording & Capture> {
    if (typeof what === 'number') {
      const { name } = this.#nodes.node(what).plan
      return (await this.#captures.record({ id: what, dev: dev!, name }, file!)) as Recording & Capture
    }
    for (const id of what.nodes ?? []) this.#nodes.node(id)
    return (await this.#captures.capture(what)) as Recording & Capture
  }

  async packet(wanted: PacketWanted, options: PacketOptions = {}): Promise<Packet> {
    for (const id of options.nodes ?? []) this.#nodes.node(id)
    return await this.#captures.packet(wanted, options)
  }

  checkReach({ signal }: WaitOptions = {}): Promise<ReachResult[]> {
    return this.#waited('check', () => this.#checkReach(signal), signal)
  }

  /** After an abort no more nodes ping. */
  async #checkReach(signal: AbortSignal | undefined): Promise<ReachResult[]> {
    const targets = reachTargets(this.plan, this.#parts.fabric.kind)
    const { nodes } = this.#nodes
    const results = new Map<ClusterNode, ReachResult[]>()
    await inTurns(
      nodes,
      async node => {
        const own = targets.filter(({ from }) => from === node.plan.id)
        const output =
          own.length > 0 && !signal?.aborted
            ? await pingAll(
                node,
                own.map(({ address }) => address),
              )
            : ''
        results.set(node, readReach(own, output, nodeName))
      },
      { limit: pingingAtOnce },
    )
    return nodes.flatMap(node => results.get(node)!)
  }

  async verify(options: VerifyOptions = {}): Promise<Verified> {
    const { withinMs = convergenceMs, signal } = withTimes('verify', options)
    const { fabric, world } = this.#parts
    const cluster = {
      current: () => ({ nodes: this.#nodes.nodes, plan: withImpaired(this.plan, this.impaired()) }),
      ...{ kind: fabric.kind, clock: world.clock },
    }
    return await this.#waited('verify', () => verifyCluster(cluster, { withinMs, signal }), signal)
  }

  pause(ids?: readonly number[], { signal }: WaitOptions = {}): Promise<void> {
    return this.#waited('pause nodes of', () => this.#nodes.pause(ids), signal)
  }

  resume(ids?: readonly number[], { signal }: WaitOptions = {}): Promise<void> {
    return this.#waited('resume nodes of', () => this.#nodes.resume(ids), signal)
  }

  async halt(
    ids: readonly number[],
    options: WaitOptions & { readonly graceMs?: number } = {},
  ): Promise<void> {
    const { signal, ...how } = withTimes('stop nodes', options)
    await this.#waited('stop nodes of', () => this.#nodes.halt(ids, how), signal)
  }

  reset(ids?: readonly number[], { signal }: WaitOptions = {}): Promise<void> {
    return this.#waited('reset nodes of', () => this.#nodes.reset(ids), signal)
  }

  scaleOut(ids: readonly number[], { signal }: WaitOptions = {}): Promise<void> {
    return this.#waited('scale out', () => this.#nodes.scaleOut(ids), signal)
  }

  async scaleIn(
    ids: readonly number[],
    options: WaitOptions & { readonly graceMs?: number } = {},
  ): Promise<void> {
    const { signal, ...how } = withTimes('scale in', options)
    await this.#waited('scale in', () => this.#nodes.scaleIn(ids, how), signal)
  }

  async apply(topology: string | Topology, { dryRun = false, signal }: ApplyOptions = {}): Promise<Applied> {
    const wanted = { topology: await topologyRead(topology), dryRun }
    return await this.#waited(
      'apply topology to',
      () => applyTopology(this.#nodes, this.#parts, wanted),
      signal,
    )
  }

  /** Saves all of it at one moment, and ends it. Throws CLUSTER_NOT_FREEZABLE, NODE_NOT_READY and NODE_BUSY. */
  async freeze(): Promise<FrozenCluster> {
    const { settings, host, additions, fabric, freezable } = this.#parts
    refuseFreeze({ freezable, fabric: fabric.kind, name: this.plan.name })
    const { plan } = this
    const impaired = this.impaired()
    const nodes = await this.#nodes.freeze()
    await this.stop()
    return { ...nodes, plan, impaired, settings, host, additions, ownNet: isOwnNet(this.#parts) }
  }

  async save(snapshot: string, { keep = false }: SaveOptions = {}): Promise<SavedSnapshot> {
    const { settings, host, fabric, freezable, places } = this.#parts
    refuseFreeze({ freezable, fabric: fabric.kind, name: this.plan.name })
    const saved = await saveNodes(this.#nodes, {
      about: () => ({
        ...{ plan: this.plan, impaired: this.impaired() },
        ...{ settings, host, ownNet: isOwnNet(this.#parts) },
      }),
      ...{ places, snapshot, keep },
    })
    if (!keep) await this.stop({ graceMs: 0 })
    return saved
  }

  async stop(options: { readonly graceMs?: number } = {}): Promise<void> {
    this.#stopping ??= this.#stop(withTimes('stop cluster', options))
    await this.#stopping
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  /** Does nothing when the signal has aborted before. */
  async #waited<T>(op: string, work: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    if (signal?.aborted) throw notBegun(op, this.plan.name, signal.reason)
    const done = work()
    if (signal) done.catch(() => {}) // after an abort nothing waits for it
    return await unlessAborted(done, signal, reason => waitAborted(op, this.plan.name, reason))
  }

  async #stop(options: { readonly graceMs?: number }): Promise<void> {
    const { scope, events } = this.#parts
    this.#enter('stopping')
    try {
      await this.#nodes.end()
      const stopping = this.#nodes.nodes.map(node => node.stop(options).catch(() => node.stop('at once')))
      await Promise.all(stopping).finally(() => scope.close())
    } finally {
      this.#enter('stopped')
      events.end()
      this.#ended.resolve()
    }
  }

  #enter(state: ClusterState): void {
    this.#state = state
    this.#parts.events.send({ type: 'cluster', state })
  }
}

/** The paths of its namespaces, for nsenter(1), and its uplink. */
function placeOf(fabric: Fabric | undefined): Pick<Status, 'netns' | 'userns' | 'uplink'> {
  const { path = '', userPath } = fabric?.namespace ?? {}
  const { uplink } = fabric ?? {}
  return { netns: path, ...(userPath !== undefined && { userns: userPath }), ...(uplink && { uplink }) }
}

/** The output of the node's ping script. Empty for a node that has failed or fails now: it reaches no address. */
async function pingAll(node: ClusterNode, addresses: readonly string[]): Promise<string> {
  try {
    const { stdout } = await node.exec(['/bin/sh'], {
      input: reachScript(addresses),
      timeoutMs: reachMs(addresses.length),
    })
    return new TextDecoder().decode(stdout)
  } catch {
    return ''
  }
}
