import { defer } from '../../src/base/index.ts'
import type { Exit, Launched } from '../../src/sys/index.ts'
import type { VmSpec } from '../../src/vm/index.ts'
import type { Origin, Spawned } from '../../src/vm/qemu/spawn.ts'
import { type Answering, FakeAgent, FakeGuestProgram, obedient } from './fake-guest.ts'
import { FakeQemu, greeting, type MemoryPort, portPair, type Received } from './qmp-fake.ts'

/** How a VM differs from one that works. */
export interface Behaviour {
  /** QEMU ends before its monitor answers, with this text on stderr. */
  readonly refuses?: string
  /** The kernel panics instead of starting init. */
  readonly panics?: boolean
  /** The guest resets while its kernel boots, without a word. */
  readonly breaks?: boolean
  /** The guest's agent never opens its port. */
  readonly hangs?: boolean
  /** QEMU cannot load the template's state: it refuses, or a signal kills it. */
  readonly wakes?: 'refused' | 'killed'
  /** The answers of its xcluster-guest. */
  readonly answers?: Answering
  /** QEMU ignores `quit` and SIGTERM. */
  readonly stubborn?: boolean
  /** Programs in the guest do not end. */
  readonly endless?: boolean
}

/** VMs in memory for the real `startVm`: processes, monitors and guests. */
export class FakeVms {
  /** All VMs that were started, in order. */
  readonly started: FakeVm[] = []
  readonly #behaviours = new Map<string, Behaviour[]>()
  readonly #watchers = new Set<() => void>()
  /** Called before each start, with the VM's name. */
  before: (name: string) => Promise<void> | void = () => {}

  /** Sets the behaviour of the VM of that name: one for each start, the last one for all later starts. */
  behave(name: string, ...behaviours: Behaviour[]): void {
    this.#behaviours.set(name, behaviours)
  }

  /** Replaces spawnQemu. */
  readonly spawn = async (spec: VmSpec, origin: Origin): Promise<Spawned> => {
    await this.before(spec.name)
    const behaviours = this.#behaviours.get(spec.name) ?? []
    const behaviour = (behaviours.length > 1 ? behaviours.shift() : behaviours[0]) ?? {}
    const vm = new FakeVm(spec, { origin, behaviour, pid: 100_000 + this.started.length })
    this.started.push(vm)
    for (const watcher of [...this.#watchers]) watcher()
    return vm.spawned
  }

  get alive(): FakeVm[] {
    return this.started.filter(vm => !vm.ended)
  }

  /** The latest VM of that name. */
  get(name: string): FakeVm {
    const found = this.started.findLast(vm => vm.spec.name === name)
    if (found) return found
    throw new Error(`no ${name} was started`)
  }

  /** Resolves with the `count`th VM of that name when it is started. */
  async start(name: string, count = 1): Promise<FakeVm> {
    for (;;) {
      const found = this.started.filter(vm => vm.spec.name === name)[count - 1]
      if (found) return found
      const next = defer()
      this.#watchers.add(next.resolve)
      await next.promise
      this.#watchers.delete(next.resolve)
    }
  }
}

/** What a QEMU with `file:` replies to the commands by which its state is saved. */
const aboutSaving: Readonly<Record<string, object>> = {
  'query-migrate-capabilities': ['x-ignore-shared', 'events'].map(capability => ({
    capability,
    state: false,
  })),
  'query-qmp-schema': [{ name: '1', 'meta-type': 'enum', values: ['socket', 'exec', 'rdma', 'file'] }],
  'query-migrate': { status: 'completed' },
  migrate: {},
}

interface FakeVmOptions {
  readonly origin: Origin
  readonly behaviour: Behaviour
  readonly pid: number
}

/** One VM: QEMU's end of the four sockets, and the guest. */
export class FakeVm {
  readonly spec: VmSpec
  readonly cloned: boolean
  readonly spawned: Spawned
  readonly qemu: FakeQemu
  readonly guest: FakeGuestProgram
  /** The names of the commands that its monitor has received. */
  readonly commands: string[] = []
  readonly #behaviour: Behaviour
  readonly #ours: MemoryPort[]
  readonly #exited = defer<Exit>()
  /** It boots. */
  #begun = false
  /** Its state has been saved a moment ago. */
  #finishing = false
  ended: Exit | undefined

  constructor(spec: VmSpec, { origin, behaviour, pid }: FakeVmOptions) {
    this.spec = spec
    this.cloned = origin.role === 'clone' || origin.role === 'derived'
    this.#behaviour = behaviour
    const pairs = [portPair(), portPair(), portPair(), portPair()] as const
    const [monitor, console, agent, stream] = pairs.map(([theirs]) => theirs) as [
      ...[MemoryPort, MemoryPort, MemoryPort, MemoryPort],
    ]
    this.#ours = pairs.map(([, ours]) => ours)
    this.spawned = { launched: this.#launched(pid), monitor, console, agent, stream }
    this.qemu = new FakeQemu(this.#ours[0]!)
    this.#ours[1]!.receive({ data: bytes => this.#typed(bytes), end: () => {} })
    new FakeAgent(this.#ours[2]!, { endless: behaviour.endless ?? false })
    this.guest = new FakeGuestProgram(this.#ours[3]!, behaviour.answers ?? obedient, {
      endless: behaviour.endless ?? false,
    })
    void this.#run()
  }

  /** Resolves when its process has ended. */
  get gone(): Promise<Exit> {
    return this.#exited.promise
  }

  /** Prints text on its console. */
  print(text: string): void {
    this.#ours[1]!.send(Buffer.from(text))
  }

  /** Ends the process: by a signal, or by itself. */
  end(exit: Exit): void {
    if (this.ended) return
    this.ended = exit
    for (const port of this.#ours) void port.close()
    this.#exited.resolve(exit)
  }

  /** Closes the port of xcluster-guest alone: the first sign of a death, at times. */
  async hangUp(): Promise<void> {
    await this.#ours[3]!.close()
  }

  #launched(pid: number): Launched {
    return {
      pid,
      exited: this.#exited.promise,
      kill: signal => {
        if (signal === 'SIGKILL' || !this.#behaviour.stubborn) this.end({ signal })
      },
      stdout: () => '',
      stderr: () => this.#behaviour.refuses ?? '',
    }
  }

  async #run(): Promise<void> {
    if (this.#behaviour.refuses !== undefined) this.end({ code: 1 })
    if (this.ended) return
    this.qemu.say(greeting)
    for await (const command of this.qemu.received) {
      if (this.ended) return
      const name = command.execute ?? command['exec-oob']!
      this.commands.push(name)
      this.#obey(name, command)
    }
  }

  #obey(name: string, command: Received): void {
    const fault = name === 'migrate-incoming' ? this.#behaviour.wakes : undefined
    if (fault === 'refused') this.qemu.refuse(command, 'Invalid argument')
    else if (fault === 'killed') this.end({ signal: 'SIGSEGV' })
    else this.#carryOut(name, command)
  }

  #carryOut(name: string, command: Received): void {
    const told = aboutSaving[name]
    if (told !== undefined) {
      this.qemu.reply(command, told)
      if (name !== 'migrate') return
      this.qemu.event('MIGRATION', { status: 'completed' })
      this.#finishing = true
      return
    }
    if (name === 'stop') this.qemu.event('STOP')
    if (name === 'cont' && this.#finishing) {
      this.qemu.refuse(command, 'Migration is not finalized yet')
      return
    }
    if (name === 'cont') this.qemu.event('RESUME')
    if (name === 'quit' && !this.#behaviour.stubborn)
      this.qemu.event('SHUTDOWN', { guest: false, reason: 'host-qmp-quit' })
    this.qemu.reply(command, name === 'query-status' ? this.#status() : {})
    if (name === 'query-status' && !this.cloned && !this.#begun) this.#boot()
    if (name === 'migrate-incoming') this.#resume()
    if (name === 'quit' && !this.#behaviour.stubborn) this.end({ code: 0 })
  }

  /** As QEMU, which takes `cont` again a moment after it has told that a migration is over: when it is asked. */
  #status(): object {
    const status = this.#finishing ? 'postmigrate' : 'running'
    this.#finishing = false
    return { status, running: status === 'running' }
  }

  #boot(): void {
    this.#begun = true
    this.print('[    0.000000] Linux version 6.1.0-fake\r\n')
    const { panics, breaks } = this.#behaviour
    if (panics || breaks) {
      if (panics) this.print('[    0.500000] Kernel panic - not syncing: No working init found.\r\n')
      this.qemu.event('SHUTDOWN', { guest: true, reason: 'guest-reset' })
      this.end({ code: 0 })
      return
    }
    this.print('xcluster: init\r\n')
    if (!this.#behaviour.hangs) this.#openAgent()
  }

  #resume(): void {
    if (this.#behaviour.hangs) return
    this.#openAgent()
    if (this.spec.template?.isPaused) this.qemu.event('MIGRATION', { status: 'completed' })
    else this.qemu.event('RESUME')
  }

  #openAgent(): void {
    this.print(`${this.spec.name} says hello\n`)
    this.qemu.event('VSERPORT_CHANGE', { id: 'agent', open: true })
  }

  /** Echoes input in capitals. */
  #typed(bytes: Uint8Array): void {
    this.print(Buffer.from(bytes).toString().toUpperCase())
  }
}
