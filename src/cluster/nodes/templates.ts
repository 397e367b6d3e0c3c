import type { ProgressEvent } from '../../api/index.ts'
import { messageOf, type Nic, Scope, XclusterError } from '../../base/index.ts'
import { warmUp } from '../../guest/index.ts'
import { type HostResources, shapeAppend, specOf } from '../../host/index.ts'
import type { FabricKind } from '../../net/index.ts'
import type { ClusterPlan, NodePlan } from '../../plan/index.ts'
import { planNics, planUnpluggedNics, type Settings } from '../../plan/index.ts'
import type { Template, TemplateSpec, TemplateStep } from '../../vm/index.ts'
import type { ClusterWorld } from '../world.ts'

export interface TemplatesParts {
  readonly world: ClusterWorld
  readonly settings: Settings
  /** What the clones' cables will end in: it decides what their devices are like. */
  readonly fabric: FabricKind
  readonly host: HostResources
  readonly cacheDir: string
  readonly tell: (event: ProgressEvent) => void
}

/** What is being done to a template, for people; looking at one that is there is not worth a word. */
const doing: Partial<Record<TemplateStep, string>> = {
  wait: 'another process is making it',
  boot: 'booting it',
  warm: 'letting it do once what clones do first',
  save: 'saving it',
}

/**
 * The templates of a cluster: one for each shape of its nodes, kept open as long as the cluster lives, so that
 * nodes that come later find them.
 */
export class Templates implements AsyncDisposable {
  readonly #parts: TemplatesParts
  readonly #open = new Map<string, Promise<Template | undefined>>()
  readonly #ready = new Map<string, Template>()
  readonly #scope = new Scope()
  #beingMade = 0

  constructor(parts: TemplatesParts) {
    this.#parts = parts
  }

  /**
   * Opens those that the nodes need and are not open yet, all at once. Where one cannot be had there is a notice,
   * and nodes of that shape boot: what is wrong with the guest, they will say themselves.
   */
  async open(nodes: readonly NodePlan[], signal: AbortSignal): Promise<void> {
    if (this.#parts.settings.clone === 'off') return
    const shapes = new Map(nodes.map(node => [this.#shapeOf(node), node]))
    await Promise.all(
      Array.from(shapes, ([shape, node]) => {
        const opening = this.#open.get(shape) ?? this.#openOne(shape, node, signal)
        this.#open.set(shape, opening)
        return opening
      }),
    )
  }

  /** The node's template, when it is open. */
  of(node: NodePlan): Template | undefined {
    return this.#ready.get(this.#shapeOf(node))
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#scope.close()
  }

  async #openOne(shape: string, node: NodePlan, signal: AbortSignal): Promise<Template | undefined> {
    const { world, cacheDir, tell } = this.#parts
    const notice = (text: string) => tell({ event: 'notice', text })
    const making = this.#making(node)
    try {
      const { onStep } = making
      const template = await world.openTemplate(this.#specOf(node), {
        cacheDir,
        clock: world.clock,
        notice,
        signal,
        onStep,
      })
      this.#scope.add(template)
      this.#ready.set(shape, template)
      return template
    } catch (failure) {
      this.#open.delete(shape)
      if (signal.aborted || isHopeless(failure)) throw failure
      notice(`nodes like ${node.name} have no template and are booted: ${messageOf(failure)}`)
      return undefined
    } finally {
      making.end()
    }
  }

  #specOf(node: NodePlan): TemplateSpec {
    const { settings, host } = this.#parts
    const nics = this.#nicsOf(node)
    const { kernel, initramfs, memoryMiB, vcpus, accel, machine, extraArgs, identity } = specOf(
      node,
      settings,
      { host, place: { nics } },
    )
    return {
      ...{ kernel, initramfs, memoryMiB, vcpus, accel, nics },
      ...(extraArgs && { extraArgs }),
      ...(machine && { machine }),
      ...(identity && { identity }),
      append: shapeAppend(node.id, settings),
      qemu: host.qemu,
      image: host.image.key,
      warmUp: warmUp(nics.length, this.#parts.world),
    }
  }

  /** On taps it makes its own: as many as there are descriptors here. */
  #nicsOf(node: NodePlan): Nic[] {
    if (this.#parts.fabric === 'user') return planUnpluggedNics(node.nets.map(({ mac }) => mac))
    return planNics({ taps: tapsOf(node) }, node.id).map(({ args }) => ({ args, fds: [-1] }))
  }

  /** What of a node decides its template. The rest is the cluster's. */
  #shapeOf({ id, memMiB, vcpus, nets }: NodePlan): string {
    return JSON.stringify([memMiB, vcpus, nets.length, shapeAppend(id, this.#parts.settings)])
  }

  /** One step of the start, from when the first template is being made to when none is any more. */
  #making({ nets }: NodePlan) {
    const { tell } = this.#parts
    let begun = false
    return {
      onStep: (step: TemplateStep, state: 'begin' | 'end') => {
        if (state === 'end' || doing[step] === undefined) return
        if (!begun) this.#beingMade++
        begun = true
        tell({ event: 'step', step: 'template', state, text: `with ${nets.length} NICs: ${doing[step]}` })
      },
      end: () => {
        if (begun && --this.#beingMade === 0)
          tell({ event: 'step', step: 'template', state: 'end', text: 'no template is being made' })
      },
    }
  }
}

function tapsOf({ id, nets }: NodePlan): ClusterPlan['bridges']['taps'] {
  return nets.map(({ net, tap, mac }) => ({ node: id, net, name: tap, mac }))
}

/** The guest never answered: those that boot would take as long to say the same. */
function isHopeless(failure: unknown): boolean {
  const { cause = failure } = failure as Error
  return cause instanceof XclusterError && cause.code === 'BOOT_TIMEOUT'
}
