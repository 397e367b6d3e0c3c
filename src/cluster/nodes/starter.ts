import { setMaxListeners } from 'node:events'
import type { ProgressEvent } from '../../api/index.ts'
import { messageOf, XclusterError } from '../../base/index.ts'
import { type HostResources, type Passed, StartLimit, specOf, startInTurn } from '../../host/index.ts'
import type { Fabric } from '../../net/index.ts'
import type { Settings } from '../../plan/index.ts'
import type { Template } from '../../vm/index.ts'
import { isAlone, refusedByQemu } from '../network/script.ts'
import type { ClusterWorld } from '../world.ts'
import type { ClusterNode } from './node.ts'
import type { Templates } from './templates.ts'

export interface NodeStarterOptions {
  readonly world: ClusterWorld
  readonly settings: Settings
  readonly host: HostResources
  readonly templates: Templates
  readonly tell: (event: ProgressEvent) => void
}

export interface BootRun {
  readonly fabric: Fabric
  /** Ends it: VMs that are not ready go. */
  readonly signal: AbortSignal
  /** Whether one that fails, or fails again while others come, ends it for all. Else the others go on. */
  readonly together: boolean
  /** Called when no VM boots any more. */
  readonly booted?: () => void
}

/** From here on what nodes tell each other when they come up is worth more than what it costs to stop it. */
const many = 16

/** Who is being booted now, and what ended it. */
interface Batch {
  readonly nodes: readonly ClusterNode[]
  readonly end: AbortController
  /** What ended it. */
  lost: unknown
  /** What has failed without an end to the others. */
  readonly alone: unknown[]
}

/** Brings nodes from nothing to ready, in a start, a scale-out or a reset. */
export class NodeStarter {
  readonly #parts: NodeStarterOptions
  readonly #batches = new Set<Batch>()
  #noticed = false

  constructor(parts: NodeStarterOptions) {
    this.#parts = parts
  }

  /** A node has failed: should others that are to come with it still be on their way, they need not. */
  lost(node: ClusterNode, reason: unknown): void {
    if (isAlone(reason)) return
    for (const batch of this.#batches) {
      if (!batch.nodes.includes(node)) continue
      batch.lost ??= reason
      batch.end.abort()
    }
  }

  /**
   * As many at once as the machine can do with, each from its QEMU to ready: clones, where their templates are
   * open. Throws why the first failed.
   */
  async run(nodes: readonly ClusterNode[], run: BootRun): Promise<void> {
    const batch: Batch = { nodes, end: new AbortController(), lost: undefined, alone: [] }
    const signal = AbortSignal.any([run.signal, batch.end.signal])
    setMaxListeners(0, signal) // each VM is one
    // Those that are being configured have nobody else to call them off.
    const kill = () => void Promise.all(nodes.map(node => node.stop('at once'))).catch(() => {})
    signal.addEventListener('abort', kill)
    if (run.together) this.#batches.add(batch)
    try {
      const { namespace } = run.fabric
      await using _quiet =
        nodes.length < many || !namespace ? undefined : await this.#parts.world.suppressMldReports(namespace)
      await this.#admit(batch, { ...run, signal })
      if (batch.lost) throw batch.lost
      if (batch.alone.length === nodes.length) throw batch.alone[0]
    } catch (failure) {
      throw batch.lost ?? failure
    } finally {
      this.#batches.delete(batch)
      signal.removeEventListener('abort', kill)
    }
  }

  async #admit({ nodes, alone }: Batch, run: BootRun): Promise<void> {
    const { world, host, templates, tell } = this.#parts
    const clones = nodes.every(({ plan }) => templates.of(plan))
    let booting = nodes.length
    await startInTurn(
      nodes,
      async (node, passed) => {
        try {
          await this.#boot(node, run, passed)
          if (--booting === 0) run.booted?.()
          await node.configure()
          passed('ready', node.lastPassed!.ms)
        } catch (failure) {
          node.fail(failure)
          if (!run.together || !isAlone(failure)) throw failure
          alone.push(failure)
          if (--booting === 0) run.booted?.()
          tell({
            event: 'notice',
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

  /** A clone, where there is a template. One that does not wake up is booted: slower, but there. */
  async #boot(node: ClusterNode, run: BootRun, passed: Passed): Promise<void> {
    const template = this.#parts.templates.of(node.plan)
    if (!template) return this.#start(node, run, { passed })
    try {
      await this.#start(node, run, { passed, template })
    } catch (failure) {
      if (!(failure instanceof XclusterError && failure.code === 'CLONE_FAILED')) throw failure
      this.#notice(`a clone did not wake up and is booted instead (${failure.reason})`)
      await this.#start(node, run, { passed })
    }
  }

  async #start(
    node: ClusterNode,
    { fabric, signal }: BootRun,
    { passed, template }: { passed: Passed; template?: Template },
  ): Promise<void> {
    const { settings, host } = this.#parts
    const nics = await fabric.nics(node.plan.id, signal)
    const place = { nics, namespace: fabric.namespace, consoleLog: node.consoleLog }
    const spec = specOf(node.plan, settings, { host, place })
    const clones = template && !nics.some(({ cold }) => cold)
    const booting = node.boot(clones ? { ...spec, template, readyWith: 'wake' } : spec, {
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

  /** Once for all nodes that it happens to. */
  #notice(text: string): void {
    if (!this.#noticed) this.#parts.tell({ event: 'notice', text })
    this.#noticed = true
  }
}

/** QEMU has died before its monitor was there: of its options. */
function neverAnswered(node: ClusterNode, failure: unknown): boolean {
  const died = failure instanceof XclusterError && failure.code === 'QEMU_DIED'
  return died && ['spawned', undefined].includes(node.lastPassed?.milestone)
}
