import { setMaxListeners } from 'node:events'
import { availableParallelism } from 'node:os'
import { type Settings, systemClock, XclusterError } from '../base/index.ts'
import { type Fabric, quietJoins } from '../net/index.ts'
import type { Template } from '../vm/index.ts'
import { Admission } from './admission.ts'
import { admitted, type Passed } from './admitted.ts'
import { type Ground, specOf } from './ground.ts'
import { readLoad } from './load.ts'
import type { ClusterNode } from './node.ts'
import type { Templates } from './templates.ts'
import type { ProgressEvent } from './types.ts'

export interface BootParts {
  readonly settings: Settings
  readonly ground: Ground
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
  lost: unknown
}

/** Brings nodes from nothing to ready, in a start, a scale-out or a reset. */
export class Boots {
  readonly #parts: BootParts
  readonly #batches = new Set<Batch>()
  #noticed = false

  constructor(parts: BootParts) {
    this.#parts = parts
  }

  /** A node has failed: should others that are to come with it still be on their way, they need not. */
  lost(node: ClusterNode, reason: unknown): void {
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
    const batch: Batch = { nodes, end: new AbortController(), lost: undefined }
    const signal = AbortSignal.any([run.signal, batch.end.signal])
    setMaxListeners(0, signal) // each VM is one
    // Those that are being configured have nobody else to call them off.
    const kill = () => void Promise.all(nodes.map(node => node.stop('at once'))).catch(() => {})
    signal.addEventListener('abort', kill)
    if (run.together) this.#batches.add(batch)
    try {
      const { namespace } = run.fabric
      await using _quiet = nodes.length < many || !namespace ? undefined : await quietJoins(namespace)
      await this.#admit(nodes, { ...run, signal })
      if (batch.lost) throw batch.lost
    } catch (failure) {
      throw batch.lost ?? failure
    } finally {
      this.#batches.delete(batch)
      signal.removeEventListener('abort', kill)
    }
  }

  async #admit(nodes: readonly ClusterNode[], run: BootRun): Promise<void> {
    const { ground, templates } = this.#parts
    const cores = availableParallelism()
    const clones = nodes.every(({ plan }) => templates.of(plan))
    let booting = nodes.length
    await admitted(
      nodes,
      async (node, passed) => {
        try {
          await this.#boot(node, run, passed)
          if (--booting === 0) run.booted?.()
          await node.configure()
          passed('ready', node.lastPassed!.ms)
        } catch (failure) {
          node.fail(failure)
          throw failure
        }
      },
      {
        admission: new Admission({ cores, accel: ground.accel.kind, clones }),
        clock: systemClock,
        load: () => readLoad(systemClock.now()),
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
    const { settings, ground } = this.#parts
    const nics = await fabric.nics(node.plan.id)
    const place = { nics, namespace: fabric.namespace, consoleLog: node.consoleLog }
    const spec = specOf(node.plan, settings, { ground, place })
    await node.boot(template ? { ...spec, template, readyWith: 'wake' } : spec, {
      signal,
      passed: () => {
        const last = node.lastPassed
        if (last) passed(last.milestone, last.ms)
      },
    })
  }

  /** Once for all nodes that it happens to. */
  #notice(text: string): void {
    if (!this.#noticed) this.#parts.tell({ event: 'notice', text })
    this.#noticed = true
  }
}
