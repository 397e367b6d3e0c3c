import { type Clock, type Places, Scope } from '../../src/base/index.ts'
import type { ClusterDnsOptions } from '../../src/cluster/dns/forwarder.ts'
import { type Cluster, ClusterError, type StartHooks } from '../../src/cluster/index.ts'
import { startIn } from '../../src/cluster/start.ts'
import type { ClusterWorld } from '../../src/cluster/world.ts'
import type { Dns } from '../../src/dns/index.ts'
import {
  type AdditionsOptions,
  checkMemory,
  type HostResources,
  type Load,
  NodeAdditions,
} from '../../src/host/index.ts'
import type { Fabric } from '../../src/net/index.ts'
import type {
  BridgePlan,
  ClusterPlan,
  FabricKind,
  NodePlan,
  SettingOptions,
  Settings,
} from '../../src/plan/index.ts'
import { Memfd } from '../../src/sys/index.ts'
import {
  type Machine,
  type StartOptions,
  startVm,
  type Template,
  type TemplateOptions,
  type TemplateSpec,
  type VmSpec,
} from '../../src/vm/index.ts'
import { FakeVms } from './fake-vm.ts'
import { ManualClock } from './manual-clock.ts'

/** Points of a start, or of a change, at which a test can observe it or make it fail. */
export type Point = 'host' | 'network' | 'change' | 'dns' | 'template'

/** The names that a DNS forwarder answers. */
export type Names = Parameters<Dns['setHosts']>[0]

/**
 * The dependencies of a cluster without VMs, namespaces and privileges. The cluster, its machines, monitors and guest
 * channels are real; their peers are in memory. Time passes only when the test lets it.
 */
export class FakeWorld implements ClusterWorld {
  readonly manual = new ManualClock()
  readonly clock: Clock
  readonly vms = new FakeVms()
  readonly processors = 2
  forksQemu = false
  readonly environment = {
    places: { runtime: '/nowhere/run', state: '/nowhere/state', cache: '/nowhere/cache' } satisfies Places,
    searchPath: '/usr/bin',
    env: {},
  }
  /** The resources that are open, in the order of opening. */
  readonly open: string[] = []
  /** The network's plan, and every later change of it. */
  readonly networks: BridgePlan[] = []
  /** Every change of the DNS forwarder's names. */
  readonly names: Names[] = []
  /** The specifications of all templates that were opened. */
  readonly templates: TemplateSpec[] = []
  /** Called at each point. When it throws, that point fails. */
  at: (point: Point) => Promise<void> | void = () => {}
  kind: FabricKind = 'bridge'
  accel: 'tcg' | 'kvm' = 'tcg'
  /** The resource that cannot be closed: `network`, `dns`. */
  stuck: string | undefined
  freeMiB = 64 << 10

  constructor(clock?: Clock) {
    this.clock = clock ?? this.manual
  }

  wallClock(): number {
    return 1_700_000_000_000
  }

  randomBytes(count: number): Uint8Array {
    return Uint8Array.from({ length: count }, (_, i) => i)
  }

  load(): Load {
    return { atMs: this.clock.now(), runnable: 0 }
  }

  checkMemory = (nodes: readonly NodePlan[], options: Parameters<typeof checkMemory>[1] = {}): number => {
    const meminfo = `MemAvailable: ${this.freeMiB * 1024} kB\n`
    return checkMemory(nodes, {
      ...options,
      read: path => (path === '/proc/meminfo' ? meminfo : undefined),
    })
  }

  findHost = async (): Promise<HostResources> => {
    await this.at('host')
    const image = {
      vmlinux: '/nowhere/vmlinux',
      initramfs: '/nowhere/initramfs',
      kernelVersion: '6.1.0-fake',
    }
    const whole = { ...image, key: 'fake', modules: [], hasTelnetd: true, hasDropbear: false }
    return {
      qemu: { path: '/nowhere/qemu', version: '7.2.22' },
      accel: { kind: this.accel },
      image: whole,
      software: () => ({ image: whole }),
    } as HostResources
  }

  additions(settings: Settings, options: AdditionsOptions): NodeAdditions {
    return new NodeAdditions(settings, options)
  }

  async openNetwork(plan: Pick<ClusterPlan, 'bridges'>): Promise<Fabric> {
    await this.at('network')
    this.networks.push(plan.bridges)
    const close = this.#opened('network')
    return {
      kind: this.kind,
      namespace: undefined,
      nics: async node => {
        const own = this.networks.at(-1)!.taps.filter(tap => tap.node === node)
        return own.map(({ name }) => ({ args: ['-netdev', name], fds: [] }))
      },
      traffic: async () =>
        this.networks.at(-1)!.taps.map(({ node, net }) => {
          const sent = { frames: node, bytes: 100 * node }
          return { node, net, sent, received: { frames: 1, bytes: 60 } }
        }),
      capture: async (_, receiver) => {
        receiver.frame(new Uint8Array(60), 0, 60)
        const close = async () => receiver.end()
        return { dropped: 0, drain: () => true, close, [Symbol.asyncDispose]: close }
      },
      change: async next => {
        await this.at('change')
        this.networks.push(next)
      },
      close,
      [Symbol.asyncDispose]: close,
    }
  }

  async openDns(_: ClusterPlan, { scope }: ClusterDnsOptions): Promise<Dns | undefined> {
    await this.at('dns')
    const close = this.#opened('dns')
    const setHosts = (names: Names) => void this.names.push(names)
    const snapshot = () => ({ counters: { questions: 5, hits: 2, own: 1 } })
    const dns = {
      address: '192.168.0.250',
      port: 53,
      setHosts,
      snapshot,
      close,
      [Symbol.asyncDispose]: close,
    }
    return scope.add(dns as unknown as Dns)
  }

  openTemplate = async (spec: TemplateSpec, { onStep }: TemplateOptions): Promise<Template> => {
    this.templates.push(spec)
    onStep?.('check', 'begin')
    await this.at('template')
    await using scope = new Scope()
    const [ram, state] = [scope.add(new Memfd('ram')), scope.add(new Memfd('state'))]
    const files = scope.move()
    const gone = this.#opened(`template of ${spec.nics.length} NICs`)
    const close = async () => {
      await files.close()
      await gone()
    }
    const { memoryMiB } = spec
    const shape = { key: 'fake', memoryMiB, nicCount: spec.nics.length }
    return { ...shape, ram, state, transport: 'fd', close, [Symbol.asyncDispose]: close }
  }

  startVm(spec: VmSpec, options: StartOptions): Promise<Machine> {
    return startVm(spec, { ...options, spawn: this.vms.spawn })
  }

  suppressMldReports = async (): Promise<AsyncDisposable> => ({ [Symbol.asyncDispose]: async () => {} })

  /** Starts a cluster with it. The default is two nodes and a router. */
  start(options: SettingOptions = {}, hooks: StartHooks = {}): Promise<Cluster> {
    return startIn(this, { nvm: 2, nrouters: 1, ...options }, hooks)
  }

  /** Lets pending messages and promises be handled, for some turns of the event loop. */
  async turns(count = 20): Promise<void> {
    for (let turn = 0; turn < count; turn++) await new Promise(resolve => setImmediate(resolve))
  }

  /** Lets time pass, a tenth of a second at a time, until `work` settles. Resolves with its result. */
  async passing<T>(work: Promise<T>): Promise<T> {
    let done = false
    const end = () => {
      done = true
    }
    work.then(end, end)
    for (let tenths = 0; !done && tenths < 6000; tenths++) {
      await this.turns()
      if (!done) this.manual.pass(100)
    }
    return await work
  }

  #opened(what: string): () => Promise<void> {
    this.open.push(what)
    return async () => {
      const at = this.open.indexOf(what)
      if (at >= 0) this.open.splice(at, 1)
      if (what === this.stuck) throw broken(`${what} does not close`)
    }
  }
}

/** An error for a test to throw where something should fail. */
export function broken(reason: string): ClusterError {
  return new ClusterError({ code: 'NETWORK_SETTINGS', op: 'try', target: 'it', reason })
}
