import type { ProgressEvent } from '../../api/index.ts'
import { codeOf, firstFailure, messageOf, type Nic, Scope } from '../../base/index.ts'
import { templateChannel, unpackInto, warmUp } from '../../guest/index.ts'
import {
  type HostResources,
  type NodeAdditions,
  shapeAppend,
  softwareKeys,
  specOf,
} from '../../host/index.ts'
import type { FabricKind } from '../../net/index.ts'
import type { ClusterPlan, NodePlan } from '../../plan/index.ts'
import { planNics, planUnpluggedNics, type Settings, settingFor } from '../../plan/index.ts'
import { isShortage } from '../../sys/index.ts'
import type { Machine, Template, TemplateSpec, TemplateStep } from '../../vm/index.ts'
import type { ClusterWorld } from '../world.ts'

type Additions = ReturnType<NodeAdditions['of']>

export interface TemplatesParts {
  readonly world: ClusterWorld
  readonly settings: Settings
  /** The clones' kind of network: it decides the devices of their NICs. */
  readonly fabric: FabricKind
  readonly host: HostResources
  readonly cacheDir: string
  readonly tell: (event: ProgressEvent) => void
  readonly additions: NodeAdditions
}

/** The text of each step. Checking a template that is in the cache is quick and has none. */
const stepTexts: Partial<Record<TemplateStep, string>> = {
  wait: 'another process is making it',
  boot: 'booting it',
  warm: 'configuring it once, so that clones are configured faster',
  add: 'adding overlays and programs',
  save: 'saving it',
}

/**
 * The templates of a cluster, one for each shape of its nodes. They stay open as long as the cluster lives, so that
 * nodes that are added later can be clones of them.
 */
export class Templates implements AsyncDisposable {
  #parts: TemplatesParts
  readonly #open = new Map<string, Promise<Template | undefined>>()
  readonly #ready = new Map<string, Template>()
  readonly #scope = new Scope()
  #beingMade = 0

  constructor(parts: TemplatesParts) {
    this.#parts = parts
  }

  /** From now on templates are made with these. Those that are open stay. */
  use(next: Pick<TemplatesParts, 'settings' | 'host' | 'additions'>): void {
    this.#parts = { ...this.#parts, ...next }
  }

  /**
   * Opens, side by side, the templates that these nodes need and that are not open yet. When one cannot be opened
   * there is a notice, and nodes of that shape boot. If the guest itself is at fault, their boot reports it.
   */
  async open(nodes: readonly NodePlan[], signal: AbortSignal): Promise<void> {
    await this.#parts.additions.prepare(nodes, signal)
    if (this.#parts.settings.clone === 'off') return
    const shapes = new Map(this.#cloneable(nodes).map(node => [this.#shapeOf(node), node]))
    await Promise.all(
      Array.from(shapes, ([shape, node]) => {
        const opening = this.#open.get(shape) ?? this.#openOne(shape, node, signal)
        this.#open.set(shape, opening)
        return opening
      }),
    )
  }

  /** Without those with cloud-init: it gives a guest its identity while that boots. */
  #cloneable(nodes: readonly NodePlan[]): readonly NodePlan[] {
    const [own, others] = [nodes.filter(node => this.#boots(node)), nodes.filter(node => !this.#boots(node))]
    const names = own.map(({ name }) => name).join(', ')
    const text = `booted, and not cloned, because cloud-init gives each its identity: ${names}`
    if (own.length > 0) this.#parts.tell({ type: 'notice', text })
    return others
  }

  #boots({ id }: NodePlan): boolean {
    return this.#parts.host.software(id).disk?.seed !== undefined
  }

  /** What the node's guest gets on top of the image. */
  additionsOf(node: Pick<NodePlan, 'id'>): Additions {
    return this.#parts.additions.of(node)
  }

  /** The node's template, if it is open. */
  of(node: NodePlan): Template | undefined {
    if (this.#boots(node)) return undefined
    return this.#ready.get(this.#shapeOf(node))
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#scope.close()
  }

  async #openOne(shape: string, node: NodePlan, signal: AbortSignal): Promise<Template | undefined> {
    const { world, cacheDir, tell } = this.#parts
    const notice = (text: string) => tell({ type: 'notice', text })
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
      notice(`nodes like ${node.name} are booted, because they have no template: ${messageOf(failure)}`)
      return undefined
    } finally {
      making.end()
    }
  }

  #specOf(node: NodePlan): TemplateSpec {
    const { settings, host } = this.#parts
    const nics = this.#nicsOf(node)
    const ownInit = settingFor(settings, 'init', node.id) === 'system'
    const { kernel, initramfs, disks, bootDisk, memoryMiB, vcpus, accel, machine, extraArgs, identity } =
      specOf(node, settings, { host, place: { nics } })
    return {
      ...{ kernel, initramfs, memoryMiB, vcpus, accel, nics },
      ...(disks && { disks }),
      ...(bootDisk && { bootDisk }),
      ...(extraArgs && { extraArgs }),
      ...(machine && { machine }),
      ...(identity && { identity }),
      append: shapeAppend(node.id, settings),
      qemu: host.qemu,
      image: softwareKeys(host.software(node.id)).join('+'),
      warmUp: warmUp(nics.length, this.#parts.world, { ownInit }),
      ...this.#added(node),
    }
  }

  /** What the node's guest gets on top of the image. */
  #added(node: NodePlan): Pick<TemplateSpec, 'added'> {
    const additions = this.#parts.additions.of(node)
    if (!additions) return {}
    const run = (machine: Machine) => unpackInto(templateChannel(machine, this.#parts.world), additions)
    return { added: { key: additions.key, run } }
  }

  /** With a bridge fabric the template makes its own taps, one for each descriptor here. */
  #nicsOf(node: NodePlan): Nic[] {
    if (this.#parts.fabric === 'user') return planUnpluggedNics(node.nets.map(({ mac }) => mac))
    return planNics({ taps: tapsOf(node) }, node.id).map(({ args }) => ({ args, fds: [-1] }))
  }

  /** The settings of a node that its template depends on. Everything else is the same in the whole cluster. */
  #shapeOf(node: NodePlan): string {
    const { id, memMiB, vcpus, nets } = node
    const { settings, host, additions } = this.#parts
    const software = [softwareKeys(host.software(id)), additions.of(node)?.key]
    return JSON.stringify([memMiB, vcpus, nets.length, shapeAppend(id, settings), ...software])
  }

  /** All templates that are being made are one `template` step of the start: from the first to the last. */
  #making({ nets }: NodePlan) {
    const { tell } = this.#parts
    let begun = false
    return {
      onStep: (step: TemplateStep, state: 'begin' | 'end') => {
        if (state === 'end' || stepTexts[step] === undefined) return
        if (!begun) this.#beingMade++
        begun = true
        tell({ type: 'step', step: 'template', state, text: `with ${nets.length} NICs: ${stepTexts[step]}` })
      },
      end: () => {
        if (begun && --this.#beingMade === 0)
          tell({ type: 'step', step: 'template', state: 'end', text: 'no more templates to make' })
      },
    }
  }
}

function tapsOf({ id, nets }: NodePlan): ClusterPlan['bridges']['taps'] {
  return nets.map(({ net, tap, mac }) => ({ node: id, net, name: tap, mac }))
}

/**
 * True when the template's guest never answered, or the machine has no more files or memory: nodes that boot would fail
 * in the same way, and as late.
 */
function isHopeless(failure: unknown): boolean {
  const first = firstFailure(failure)
  const { cause = first } = first as Error
  return codeOf(cause) === 'BOOT_TIMEOUT' || isShortage(first) || isShortage(cause)
}
