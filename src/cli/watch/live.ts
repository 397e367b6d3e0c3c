import type { Counters, Status } from '../../api/index.ts'
import { codeOf, messageOf, Queue, systemClock, withOptions } from '../../base/index.ts'
import type { OwnerClient } from '../../client/index.ts'
import { visit } from '../console.ts'
import { tell } from '../output.ts'
import { Screen } from '../terminal.ts'
import { actionOf, type Change, changes, type KeyAction } from './keys.ts'
import { type Reading, readingOf } from './reading.ts'
import { screenLines } from './screen.ts'

export interface LiveOptions {
  readonly client: OwnerClient
  readonly intervalMs: number
  readonly color: boolean
}

/** Something to react to: time to read, an event of the cluster, a window of another size, a key. */
type Wake = 'read' | 'look' | 'draw' | { readonly key: string }

/** Shows a cluster on the whole terminal until a key or the end of the cluster ends it. */
export class LiveWatch {
  readonly #with: LiveOptions
  readonly #wakes = new Queue<Wake>()
  readonly #screen = new Screen(key => this.#wakes.push({ key }))
  readonly #leaving = new AbortController()
  #status: Status | undefined
  #before: Counters | undefined
  #after: Counters | undefined
  #selected = 0
  #message = ''
  /** A change that waits for `y`. */
  #asked: Change | undefined

  constructor(options: LiveOptions) {
    this.#with = options
  }

  async run(): Promise<void> {
    await this.#read() // an error of the first is an error of the command
    this.#screen.enter()
    const resized = () => this.#wakes.push('draw')
    process.stdout.on('resize', resized)
    const cancel = this.#tick()
    void this.#hear()
    try {
      this.#draw()
      for await (const wake of this.#wakes) {
        if (!(await this.#handle(wake))) break
        this.#draw()
      }
    } finally {
      cancel()
      process.stdout.off('resize', resized)
      this.#leaving.abort()
      this.#screen.leave()
    }
  }

  #tick(): () => void {
    let cancel = () => {}
    const next = () => {
      cancel = systemClock.after(this.#with.intervalMs, () => {
        this.#wakes.push('read')
        next()
      })
    }
    next()
    return () => cancel()
  }

  /** Events make new states show at once. */
  async #hear(): Promise<void> {
    try {
      const events = await this.#with.client.events(this.#leaving.signal)
      for await (const event of events) if (event.type !== 'milestone') this.#wakes.push('look')
    } catch {
      // The next reading says what is wrong.
    }
  }

  /** False when it is to end. */
  async #handle(wake: Wake): Promise<boolean> {
    if (typeof wake === 'object') return await this.#press(wake.key)
    if (wake === 'draw') return true
    try {
      await this.#read(wake === 'look')
      return true
    } catch (failure) {
      const gone = ['CLUSTER_MISSING', 'OWNER_GONE'].includes(codeOf(failure) ?? '')
      if (!gone) throw failure
      this.#screen.leave()
      tell(`Cluster '${this.#status?.name}' has ended.`)
      return false
    }
  }

  async #read(onlyStates = false): Promise<void> {
    const { client } = this.#with
    this.#status = await client.status()
    if (onlyStates) return
    const now = await client.counters().catch(failure => {
      if (codeOf(failure) === 'CLUSTER_NOT_READY') return undefined
      throw failure
    })
    this.#before = this.#after
    this.#after = now
  }

  async #press(key: string): Promise<boolean> {
    const asked = this.#asked
    this.#asked = undefined
    this.#message = ''
    if (asked) {
      if (key === 'y') this.#change(asked)
      return true
    }
    const action = actionOf(key)
    if (action === 'quit') return false
    if (action) await this.#do(action)
    return true
  }

  async #do(action: Exclude<KeyAction, 'quit'>): Promise<void> {
    if (action === 'up') this.#select(-1)
    else if (action === 'down') this.#select(1)
    else if (action === 'console') await this.#visit()
    else if (changes[action].question === undefined) this.#change(action)
    else {
      this.#asked = action
      this.#message = `${changes[action].question} ${this.#node?.name}? What it has in memory is lost. y: yes, other keys: no`
    }
  }

  get #node(): Status['nodes'][number] | undefined {
    const { nodes = [] } = this.#status ?? {}
    return nodes.find(({ id }) => id === this.#selected) ?? nodes[0]
  }

  #select(by: number): void {
    const { nodes = [] } = this.#status ?? {}
    const at = nodes.findIndex(({ id }) => id === this.#node?.id) + by
    this.#selected = nodes[Math.min(Math.max(at, 0), nodes.length - 1)]?.id ?? 0
  }

  /** The screen goes on while the node changes. */
  #change(change: Change): void {
    const node = this.#node
    if (!node) return
    const { verb, done } = changes[change]
    this.#message = `${change} ${node.name} …`
    const said = (text: string) => {
      this.#message = text
      this.#wakes.push('look')
    }
    this.#with.client[verb]({ nodes: [node.name] }).then(
      () => said(`${done}: ${node.name}.`),
      failure => said(withOptions(messageOf(failure))),
    )
  }

  async #visit(): Promise<void> {
    const node = this.#node
    if (!node) return
    try {
      const connection = await this.#with.client.console(node.name)
      this.#screen.leave()
      await visit({ client: this.#with.client, node: node.name }, connection)
    } catch (failure) {
      this.#message = withOptions(messageOf(failure))
    } finally {
      this.#screen.enter()
    }
  }

  #draw(): void {
    const reading: Reading = readingOf(this.#status!, this.#before, this.#after)
    const selected = this.#node?.id ?? 0
    const { size } = this.#screen
    this.#screen.draw(
      screenLines(reading, { selected, message: this.#message, color: this.#with.color, size }),
    )
  }
}
