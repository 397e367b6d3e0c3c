import { messageOf, type Nic, Scope, Serial, systemClock } from '../../base/index.ts'
import { type BridgePlan, mtuOf, type TapSpec } from '../../plan/index.ts'
import { openTaps, type Tap } from '../../sys/index.ts'
import { type CapturedLink, captureLink, type FrameReceiver, noCapture } from '../capture/source.ts'
import { NetError } from '../errors.ts'
import type { Fabric } from '../fabric.ts'
import { type InterfaceTraffic, tapTraffic } from '../traffic.ts'
import { type Answer, readAnswer } from './answer.ts'
import { type Asked, badAnswer, failed, hung, shown, unusableTap } from './errors.ts'
import type { NetSetup, QemuNetOptions } from './setup.ts'

export interface ScriptFabricOptions {
  /** The fabric below it, with all bridges and no taps. It is closed with this one. */
  readonly base: Fabric
  readonly setup: NetSetup
  /** Its name in errors. */
  readonly who: string
  readonly notice: (text: string) => void
  /** The time limit of one answer. After it the script is killed. */
  readonly timeoutMs?: number
}

/**
 * A network that a user's script or function makes, interface by interface. It is called for one interface at
 * a time, so that it can check whether something exists and make it if not. The user owns what it makes,
 * which goes with the namespace.
 */
export function openScriptFabric(plan: BridgePlan, options: ScriptFabricOptions): Fabric {
  const { kind, namespace, uplink } = options.base
  const nics = new ScriptNics(plan, options)
  const close = () => nics.close()
  return {
    ...{ kind, namespace, custom: true },
    ...(uplink && { uplink }),
    nics: (node, signal) => nics.nics(node, signal),
    capture: (spec, receiver) => nics.capture(spec, receiver),
    traffic: () => nics.traffic(),
    change: next => nics.change(next),
    close,
    [Symbol.asyncDispose]: close,
  }
}

class ScriptNics {
  readonly #with: ScriptFabricOptions
  readonly #closing = new AbortController()
  readonly #scope = new Scope()
  readonly #serial = new Serial()
  /** The taps opened by this process, by node. */
  readonly #taps = new Map<number, Tap[]>()
  /** The names of taps, by node and net. */
  readonly #names = new Map<string, string>()
  #plan: BridgePlan

  constructor(plan: BridgePlan, options: ScriptFabricOptions) {
    this.#plan = plan
    this.#with = options
    this.#scope.add(options.base)
    this.#scope.defer(() => this.#letGo([...this.#taps.keys()]))
    this.#scope.defer(() => this.#serial.idle())
    this.#scope.defer(() => this.#closing.abort())
  }

  nics(node: number, signal?: AbortSignal): Promise<Nic[]> {
    const signals = [this.#closing.signal, ...(signal ? [signal] : [])]
    return this.#inTurn(async () => {
      await this.#letGo([node])
      const own = this.#plan.taps.filter(tap => tap.node === node)
      const nics: Nic[] = []
      for (const [index, spec] of own.entries())
        nics.push(await this.#nic(spec, index, AbortSignal.any(signals)))
      return nics
    })
  }

  async capture({ node, net }: TapSpec, receiver: FrameReceiver): Promise<CapturedLink> {
    const name = this.#names.get(`${node}/${net}`)
    const { namespace } = this.#with.base
    if (name !== undefined && namespace) return await captureLink(namespace, name, receiver)
    throw noCapture(`node ${node} net ${net}`, `${this.#with.who} made its interface, and named no tap`)
  }

  /** Of taps alone. */
  async traffic(): Promise<InterfaceTraffic[]> {
    const { namespace } = this.#with.base
    const named = this.#plan.taps.flatMap(({ node, net }) => {
      const name = this.#names.get(`${node}/${net}`)
      return name === undefined ? [] : [{ node, net, name }]
    })
    return namespace ? await tapTraffic(namespace, named) : []
  }

  /** Nodes that stay keep their interfaces. The script is called for new nodes when they start. */
  change(plan: BridgePlan): Promise<void> {
    return this.#inTurn(async () => {
      await this.#with.base.change({ ...plan, taps: [] })
      this.#plan = plan
      const nodes = new Set(plan.taps.map(({ node }) => node))
      await this.#letGo([...this.#taps.keys()].filter(node => !nodes.has(node)))
    })
  }

  close(): Promise<void> {
    return this.#scope.close()
  }

  async #nic(spec: TapSpec, index: number, signal: AbortSignal): Promise<Nic> {
    const { node, net, mac } = spec
    const asked: Asked = { node, net, who: this.#with.who }
    const { args: said, fds = [] } = await this.#ask(spec, asked, signal)
    const words = typeof said === 'string' ? said.split(/\s+/).filter(Boolean) : said
    if (words.some(word => /\p{Cc}/u.test(word))) throw badAnswer(asked, 'answered with control characters')
    const { args, tap, plain, privileged } = readAnswer(words, { index, mac }, asked)
    if (tap) this.#names.set(`${node}/${net}`, tap.name)
    else this.#names.delete(`${node}/${net}`)
    if (privileged.length > 0)
      this.#with.notice(`QEMU of node ${node} keeps its privileges, for ${privileged}`)
    return {
      args: args.map(arg => arg.replace('{tap}', `{fd${fds.length}}`)),
      fds: tap ? [...fds, await this.#open(tap, asked)] : fds,
      ...(!plain && { cold: true }),
      ...(privileged.length > 0 && { privileged: true }),
    }
  }

  async #ask({ node, net, mac }: TapSpec, asked: Asked, called: AbortSignal): Promise<QemuNetOptions> {
    const { setup, timeoutMs = 20_000, base } = this.#with
    const late = new AbortController()
    const signal = AbortSignal.any([called, late.signal])
    const context = { mtu: mtuOf(this.#plan, net), mac, namespace: base.namespace, signal }
    called.throwIfAborted()
    const cancel = systemClock.after(timeoutMs, () => late.abort())
    try {
      return checked(await setup(node, net, context), asked)
    } catch (failure) {
      if (called.aborted) throw failure
      if (late.signal.aborted) throw hung(asked, timeoutMs)
      throw failure instanceof NetError
        ? failure
        : failed(asked, { reason: `failed: ${messageOf(failure)}`, cause: failure })
    } finally {
      cancel()
    }
  }

  async #open({ name, vnetHdr }: NonNullable<Answer['tap']>, asked: Asked): Promise<number> {
    const { namespace, kind } = this.#with.base
    try {
      const [tap] = await openTaps([name], {
        ...(namespace && { namespace }),
        vnetHdr: vnetHdr && kind === 'bridge',
        existing: true,
      })
      this.#taps.set(asked.node, [...(this.#taps.get(asked.node) ?? []), tap!])
      return tap!.fd
    } catch (failure) {
      throw unusableTap(asked, name, failure)
    }
  }

  async #letGo(nodes: readonly number[]): Promise<void> {
    const taps = nodes.flatMap(node => this.#taps.get(node) ?? [])
    for (const node of nodes) this.#taps.delete(node)
    await Promise.all(taps.map(tap => tap.close()))
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.#scope.closed)
      throw new NetError({
        code: 'NETWORK_CLOSED',
        op: 'use',
        target: 'network',
        reason: 'it has been closed',
      })
    return this.#serial.run(work)
  }
}

/** A function may be plain JavaScript, so its result is checked. */
function checked(answer: QemuNetOptions | undefined, asked: Asked): QemuNetOptions {
  const { args, fds = [] } = answer ?? { args: '' }
  const texts =
    typeof args === 'string' || (Array.isArray(args) && args.every(arg => typeof arg === 'string'))
  const numbers = Array.isArray(fds) && fds.every(fd => Number.isInteger(fd) && fd >= 0)
  if (texts && numbers) return { args, fds }
  throw badAnswer(asked, `answered ${shown(String(JSON.stringify(answer)))}, not { args, fds }`)
}
