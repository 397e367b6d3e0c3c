import type { ClusterEvent, Counters } from '../api/index.ts'
import type { Places } from '../base/index.ts'
import { type StartHooks, startPart } from '../cluster/index.ts'
import { joinNets, type Seal } from '../net/index.ts'
import type { Owner } from '../owner/index.ts'
import { ownerParts } from '../owner/index.ts'
import type { EngineValues } from './engine.ts'
import { hostName } from './facts.ts'
import { type PlacedLab, planOn, tunnelsOn } from './lab.ts'
import { innerAddress } from './seal.ts'

export interface PartOptions {
  readonly lab: PlacedLab
  readonly values: EngineValues
  /** Of all hosts, by number. */
  readonly addresses: readonly string[]
  readonly places: Places
  readonly logs: string
  /** Encrypts nets between hosts. */
  readonly seal: Seal | undefined
  readonly timeoutMs?: number | undefined
  readonly log: (text: string) => void
  onEvent(event: ClusterEvent): void
  /** Of the whole lab, for listeners to events. Undefined: there are none yet. Default: of this part. */
  counters?(): Promise<Counters> | undefined
  /** What else must be there before the lab is ready. When it rejects, the part ends. */
  others?(): Promise<void>
  /** Called with the reason, as soon as the lab cannot start: because of this part, or of the others. */
  failed?(failure: unknown, whose: 'own' | 'others'): void
  /** Called when the part has ended. */
  leave(): Promise<void>
}

/** The part of a lab that runs on this host, as an owner holds it. */
export interface Part {
  readonly owner: Owner
  /** Ends it without waiting for the guests. */
  kill(): Promise<void>
}

type Running = Awaited<ReturnType<typeof startPart>>

/** Starts the nodes of this host, and joins their nets with those of the others. */
export async function openPart(options: PartOptions): Promise<Part> {
  const { lab, values, log, logs, leave } = options
  const { Owner } = await ownerParts()
  const plan = planOn(values.rank, lab)
  log(`starting ${plan.nodes.length} of ${lab.plan.nodes.length} nodes`)
  let running: Running | undefined
  const owner = new Owner({
    plan,
    log,
    captures: `${logs}/captures`,
    ...(options.counters && { counters: () => options.counters!() }),
    leave,
    async start(hooks) {
      running = await startBeside(options, hooks)
      return running
    },
  })
  const kill = async () => {
    await running?.stop({ graceMs: 0 })
    await owner.stop()
  }
  return { owner, kill }
}

/** Starts this part while the others start. Whatever fails first ends it, and is the reason. */
async function startBeside(
  options: PartOptions,
  hooks: Pick<StartHooks, 'onEvent' | 'signal'>,
): Promise<Running> {
  const abort = new AbortController()
  const signal = AbortSignal.any([abort.signal, ...(hooks.signal ? [hooks.signal] : [])])
  let first: { readonly failure: unknown } | undefined
  const failed = (failure: unknown, whose: 'own' | 'others') => {
    if (first) return
    first = { failure }
    options.failed?.(failure, whose)
    abort.abort()
  }
  const own = start(options, { ...hooks, signal })
  own.catch(failure => failed(failure, 'own'))
  const others = options.others?.() ?? Promise.resolve()
  others.catch(failure => failed(failure, 'others'))
  const [part] = await Promise.allSettled([own, Promise.race([others, aborted(signal)])])
  if (!first && part.status === 'fulfilled') return part.value
  if (part.status === 'fulfilled') await part.value.stop({ graceMs: 0 })
  throw first?.failure
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}

function start(options: PartOptions, hooks: Pick<StartHooks, 'onEvent' | 'signal'>): Promise<Running> {
  const { lab, values, addresses, places, logs, seal, timeoutMs, onEvent } = options
  const { rank, ports } = values
  const ends = seal ? addresses.map((_, other) => innerAddress(other)) : addresses
  const tunnels = tunnelsOn(rank, lab, ends)
  const between = {
    local: addresses[rank]!,
    peers: addresses.filter((_, other) => other !== rank),
    port: ports[1]!,
    owner: lab.plan.name,
    host: hostName(values, rank),
    seal,
  }
  return startPart(
    {
      plan: planOn(rank, lab),
      settings: lab.settings,
      join: async fabric => (tunnels.length > 0 ? await joinNets(fabric, tunnels, between) : fabric),
    },
    {
      places,
      logs,
      ...(hooks.signal && { signal: hooks.signal }),
      ...(timeoutMs !== undefined && { timeoutMs }),
      onEvent(event) {
        hooks.onEvent?.(event)
        onEvent(event)
      },
    },
  )
}
