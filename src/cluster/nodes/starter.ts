import { setMaxListeners } from 'node:events'
import type { ProgressEvent } from '../../api/index.ts'
import { codeOf, memberWord, messageOf, reasonOf } from '../../base/index.ts'
import { writeSeed } from '../../guest/index.ts'
import { type HostResources, type Passed, StartLimit, specOf, startInTurn } from '../../host/index.ts'
import type { Fabric } from '../../net/index.ts'
import type { Settings } from '../../plan/index.ts'
import type { VmSpec } from '../../vm/index.ts'
import { failsOneNode, refusedByQemu } from '../network/script.ts'
import type { ClusterWorld } from '../world.ts'
import type { ClusterNode } from './node.ts'
import type { Templates } from './templates.ts'
import { UnresumedClones } from './unresumed.ts'

export interface NodeStarterOptions {
  readonly world: ClusterWorld
  readonly settings: Settings
  readonly host: HostResources
  readonly templates: Templates
  readonly tell: (event: ProgressEvent) => void
  /** Nodes can be frozen. */
  readonly freezable: boolean
}

export interface BootRun {
  readonly fabric: Fabric
  /** Cancels it: kills the VMs. */
  readonly signal: AbortSignal
  /** True: the failure of one node ends the start of all, even when it was ready. False: the others continue. */
  readonly together: boolean
  /** Called when no VM is booting any more. */
  readonly booted?: () => void
}

/** From this many nodes on, their MLD reports cost more than suppressing them does (net/bridge/mld.ts). */
const many = 16

/** Nodes that are being started together. */
interface Batch {
  readonly nodes: readonly ClusterNode[]
  readonly end: AbortController
  /** The failure that ended the batch. */
  failure: unknown
  /** Failures of single nodes, which did not end the batch. */
  readonly singles: unknown[]
  readonly unresumed: UnresumedClones
}

/** What a VM goes on from, if it does not boot. */
interface Origin extends Pick<VmSpec, 'template' | 'forkOf' | 'forkable'> {
  readonly passed: Passed
}

interface Booting {
  readonly passed: Passed
  readonly unresumed: UnresumedClones
}

/** Starts nodes and waits until they are ready: for a start, a scale-out or a reset. */
export class NodeStarter {
  #parts: NodeStarterOptions
  readonly #batches = new Set<Batch>()

  constructor(parts: NodeStarterOptions) {
    this.#parts = parts
  }

  /** From now on nodes start with these. */
  use(next: Pick<NodeStarterOptions, 'settings' | 'host'>): void {
    this.#parts = { ...this.#parts, ...next }
  }

  /** A node has failed: ends the batch that it is being started in, if there is one. */
  failed(node: ClusterNode, reason: unknown): void {
    if (failsOneNode(reason)) return
    for (const batch of this.#batches) {
      if (!batch.nodes.includes(node)) continue
      batch.failure ??= reason
      batch.end.abort()
    }
  }

  /**
   * Starts each node and configures it, as many at once as the machine has capacity for. Nodes with an open template
   * are clones of it. Throws the first failure.
   */
  async run(nodes: readonly ClusterNode[], run: BootRun): Promise<void> {
    const batch: Batch = {
      nodes,
      end: new AbortController(),
      failure: undefined,
      singles: [],
      unresumed: new UnresumedClones(),
    }
    const signal = AbortSignal.any([run.signal, batch.end.signal])
    setMaxListeners(0, signal) // each VM adds one
    // The signal does not reach nodes that are being configured: this kills their VMs.
    const kill = () => void Promise.all(nodes.map(node => node.stop('at once'))).catch(() => {})
    signal.addEventListener('abort', kill)
    if (run.together) this.#batches.add(batch)
    try {
      const { namespace } = run.fabric
      await using _quiet =
        nodes.length < many || !namespace ? undefined : await this.#parts.world.suppressMldReports(namespace)
      await this.#admit(batch, { ...run, signal })
      if (batch.failure) throw batch.failure
      if (nodes.length > 0 && batch.singles.length === nodes.length) throw batch.singles[0]
    } catch (failure) {
      throw batch.failure ?? failure
    } finally {
      this.#batches.delete(batch)
      const text = batch.unresumed.notice
      if (text !== undefined) this.#parts.tell({ type: 'notice', text })
      signal.removeEventListener('abort', kill)
    }
  }

  /** Starts the VM of a frozen node as it was, with its processors standing still. */
  async restore(
    node: ClusterNode,
    from: Pick<Origin, 'template' | 'forkOf' | 'forkable'>,
    run: Pick<BootRun, 'fabric' | 'signal'>,
  ): Promise<void> {
    try {
      await this.#start(node, run, { ...from, passed: () => {} })
    } catch (failure) {
      node.fail(failure)
      throw failure
    }
  }

  async #admit({ nodes, singles, unresumed }: Batch, run: BootRun): Promise<void> {
    const { world, host, templates, tell } = this.#parts
    const clones = nodes.every(({ plan }) => templates.of(plan))
    let booting = nodes.length
    await startInTurn(
      nodes,
      async (node, passed) => {
        try {
          await this.#boot(node, run, { passed, unresumed })
          if (--booting === 0) run.booted?.()
          await node.configure()
          passed('ready', node.lastPassed!.ms)
        } catch (failure) {
          node.fail(failure)
          if (!run.together || !failsOneNode(failure)) throw failure
          singles.push(failure)
          if (--booting === 0) run.booted?.()
          tell({
            type: 'notice',
            text: `${node.plan.name} has no network and has failed: ${messageOf(failure)}`,
          })
        }
      },
      {
        limit: new StartLimit({ cores: world.processors, accel: host.accel.kind, clones }),
        clock: world.clock,
        load: () => world.load(),
        goOn: !run.together,
      },
    )
  }

  /** Starts a clone where there is a template. A clone that cannot resume is booted instead, which takes longer. */
  async #boot(node: ClusterNode, run: BootRun, { passed, unresumed }: Booting): Promise<void> {
    const template = this.#parts.templates.of(node.plan)
    if (!template) return this.#bootAlone(node, run, passed)
    unresumed.started()
    try {
      await this.#start(node, run, { passed, template })
    } catch (failure) {
      if (codeOf(failure) !== 'CLONE_FAILED') throw failure
      unresumed.add(node.plan.name, reasonOf(failure))
      await this.#bootAlone(node, run, passed)
    }
  }

  /** An emulated guest that broke through no fault of its own (docs/decisions/vm.md) is booted once more. */
  async #bootAlone(node: ClusterNode, run: BootRun, passed: Passed): Promise<void> {
    const { host, tell } = this.#parts
    try {
      await this.#start(node, run, { passed })
    } catch (failure) {
      const isOwn = host.software(node.plan.id).disk?.bootable // it may restart as it likes
      if (codeOf(failure) !== 'BOOT_BROKEN' || host.accel.kind !== 'tcg' || isOwn) throw failure
      const [reason] = reasonOf(failure).split('\n')
      tell({ type: 'notice', text: `${node.plan.name} is booted a second time: ${reason}` })
      await this.#start(node, run, { passed })
    }
  }

  /** What cloud-init in its guest reads. */
  #seedOf({ plan }: ClusterNode): { readonly seed?: Uint8Array } {
    const { settings, host, world } = this.#parts
    const sources = host.software(plan.id).disk?.seed
    if (!sources) return {}
    const instance = Buffer.from(world.randomBytes(8)).toString('hex')
    return {
      seed: writeSeed(plan, { ...sources, instance, dns: settings.dns === 'on', domain: settings.domain }),
    }
  }

  async #start(
    node: ClusterNode,
    { fabric, signal }: Pick<BootRun, 'fabric' | 'signal'>,
    { passed, template, forkOf, forkable }: Origin,
  ): Promise<void> {
    const { settings, host, freezable } = this.#parts
    node.startedWith = settings
    const nics = await fabric.nics(node.plan.id, signal)
    const place = { nics, namespace: fabric.namespace, consoleLog: node.consoleLog }
    const spec = { ...specOf(node.plan, settings, { host, place }), ...this.#seedOf(node), freezable }
    const alone = {
      ...spec,
      ...(spec.kernel === undefined && { readyWith: 'running' as const }),
      append: `${memberWord} ${spec.append}`.trim(),
    }
    const clone = template && {
      ...{ ...spec, template, readyWith: 'wake' as const },
      ...(forkOf && { forkOf }),
      ...(forkable && { forkable }),
    }
    const clones = clone && !nics.some(({ cold }) => cold)
    const booting = node.boot(clones ? clone : alone, {
      signal,
      passed: () => {
        const last = node.lastPassed
        if (last) passed(last.milestone, last.ms)
      },
    })
    await booting.catch(failure => {
      throw fabric.custom && neverAnswered(node, failure) ? refusedByQemu(node.plan.name, failure) : failure
    })
  }
}

/** True when QEMU died before its monitor answered, which means that it refused its options. */
function neverAnswered(node: ClusterNode, failure: unknown): boolean {
  const died = codeOf(failure) === 'QEMU_DIED'
  return died && ['spawned', undefined].includes(node.lastPassed?.milestone)
}
