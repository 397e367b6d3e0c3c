import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs'
import type { NodeState, Status } from '../../src/api/index.ts'
import { nodeName, Queue } from '../../src/base/index.ts'
import { ClusterError, type StartHooks } from '../../src/cluster/index.ts'
import type { ClusterMaker, ServedCluster } from '../../src/owner/owner.ts'
import { type ClusterPlan, planCluster, type Settings } from '../../src/plan/index.ts'

/**
 * Clusters without VMs, for tests of the floors above: all nodes are ready at once. Words in `append` change
 * that: `fake-hang` never becomes ready, `fake-fail` fails, `fake-stuck` fails to stop, and with `fake-reset`
 * a reset begins and fails.
 */
export const fakeMaker: ClusterMaker = { plan: planCluster, start: startFake }

async function startFake(settings: Settings, hooks: StartHooks): Promise<ServedCluster> {
  const plan = planCluster(settings)
  hooks.onEvent?.({ event: 'step', step: 'vms', state: 'begin', text: 'starting no VMs' })
  if (settings.append.includes('fake-hang')) await calledOff(hooks.signal)
  if (settings.append.includes('fake-fail')) throw broken('GUEST_PANIC', 'Kernel panic - not syncing')
  for (const { id, name } of plan.nodes) {
    hooks.onEvent?.({ event: 'milestone', id, name, milestone: 'ready', ms: 7 })
    hooks.onEvent?.({ event: 'node', id, name, state: 'ready', ms: 7 })
  }
  hooks.onEvent?.({ event: 'step', step: 'vms', state: 'end', text: 'started' })
  return new FakeCluster(plan, settings, hooks)
}

class FakeCluster implements ServedCluster {
  #plan: ClusterPlan
  readonly #settings: Settings
  readonly #states = new Map<number, NodeState>()
  readonly #hooks: StartHooks
  readonly #consoles = new Map<number, Set<Queue<Uint8Array>>>()

  constructor(plan: ClusterPlan, settings: Settings, hooks: StartHooks) {
    this.#plan = plan
    this.#hooks = hooks
    this.#settings = settings
    mkdirSync(hooks.logs!, { recursive: true })
    for (const node of plan.nodes) writeFileSync(this.#file(node.id), `${node.name} says hello\n`)
  }

  get plan(): ClusterPlan {
    return this.#plan
  }

  status(): Status {
    return {
      v: 1,
      name: this.#plan.name,
      topology: this.#plan.topology,
      state: 'ready',
      fabric: 'bridge',
      netns: '/proc/self/ns/net',
      owner: { pid: process.pid },
      accel: 'tcg',
      kernel: '6.1.0-fake',
      startedAt: '2024-01-01T00:00:00.000Z',
      readyMs: 7,
      nodes: this.#plan.nodes.map(({ id, name, role, nets }) => ({
        ...{ id, name, role, nets, state: this.#states.get(id) ?? 'ready', pid: process.pid, bootMs: 7 },
        milestones: { ready: 7 },
        console: this.#file(id),
      })),
    }
  }

  /** It knows the commands `echo WORDS`, `cat` and `exit N`. */
  async exec(_: number, command: readonly string[] | string, options: { input?: Uint8Array | string } = {}) {
    const [name, ...words] = command
    const input = Buffer.from(options.input ?? '')
    const stdout = name === 'cat' ? input : Buffer.from(name === 'echo' ? `${words.join(' ')}\n` : '')
    const status = name === 'exit' ? Number(words[0]) : 0
    return {
      status,
      stdout,
      stderr: Buffer.from(`${name} was run\n`),
      truncated: { stdout: false, stderr: false },
    }
  }

  /** A console that echoes its input in capitals. */
  console(node: number) {
    const readers = this.#consoles.get(node) ?? new Set()
    this.#consoles.set(node, readers)
    return {
      tail: () => new Uint8Array(),
      lastLines: () => 'login shell\n',
      write: (bytes: Uint8Array | string) => {
        const answer = Buffer.from(Buffer.from(bytes).toString().toUpperCase())
        appendFileSync(this.#file(node), answer)
        for (const reader of readers) reader.push(answer)
      },
      attach: () => {
        const reader = new Queue<Uint8Array>({ onClose: () => readers.delete(reader) })
        readers.add(reader)
        return reader
      },
    }
  }

  async checkReach() {
    const pair = { from: 'vm-001', to: 'vm-002', address: '192.168.1.2', family: 'ipv4' as const, ok: true }
    return [pair]
  }

  async pause(ids = this.#ids()) {
    for (const id of ids) this.#enter(id, 'paused')
  }

  async resume(ids = this.#ids()) {
    for (const id of ids) this.#enter(id, 'ready')
  }

  async reset(ids = this.#ids()) {
    for (const id of ids) this.#enter(id, 'starting')
    if (this.#settings.append.includes('fake-reset')) {
      await new Promise(resolve => setImmediate(resolve))
      throw broken('GUEST_PANIC', 'Kernel panic - not syncing')
    }
    for (const id of ids) this.#enter(id, 'ready')
  }

  /** Any number of nodes from 1 on, whatever was requested. */
  async scaleOut(ids: readonly number[]) {
    this.#plan = planCluster({ ...this.#settings, nvm: this.#plan.nodes.length + ids.length })
    for (const id of ids) this.#enter(id, 'ready')
  }

  async scaleIn(ids: readonly number[]) {
    for (const id of ids) this.#enter(id, 'stopped')
    this.#plan = planCluster({ ...this.#settings, nvm: this.#plan.nodes.length - ids.length })
  }

  async stop(): Promise<void> {
    for (const { id, name } of this.#plan.nodes) {
      this.#hooks.onEvent?.({ event: 'node', id, name, state: 'stopped', ms: 9 })
    }
    if (this.#settings.append.includes('fake-stuck')) throw broken('FAKE_STUCK', 'it does not want to')
  }

  #ids(): number[] {
    return this.#plan.nodes.map(({ id }) => id)
  }

  #enter(id: number, state: NodeState): void {
    this.#states.set(id, state)
    this.#hooks.onEvent?.({ event: 'node', id, name: nodeName(id), state, ms: 8 })
  }

  #file(node: number): string {
    return `${this.#hooks.logs}/node-${node}.log`
  }
}

function broken(code: string, reason: string): ClusterError {
  return new ClusterError({ code, op: 'start', target: 'vm-001', reason })
}

function calledOff(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_, reject) => signal?.addEventListener('abort', () => reject(new Error('cancelled'))))
}
