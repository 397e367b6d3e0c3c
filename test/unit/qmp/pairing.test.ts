import { expect, test } from 'vitest'
import { QmpClient, type QmpError } from '../../../src/qmp/index.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { FakeQemu, type MemoryPort, portPair, type Received } from '../../support/qmp-fake.ts'
import { randomOf } from '../../support/random.ts'

/** PAIRINGS=1000000 takes a minute or two. */
const exchanges = Number(process.env.PAIRINGS ?? 20_000)
const seed = 20_261_129

/**
 * A server that answers commands in band in order and others at once, in pieces that end anywhere, with events between,
 * and sometimes so late that the client has given up. A reply repeats its command's argument, or counts those without.
 */
class Server {
  readonly #qemu: FakeQemu
  readonly #port: MemoryPort
  readonly #random: (most: number) => number
  readonly #queue: { readonly to: Received; readonly value: unknown }[] = []
  #plain = 0

  constructor(port: MemoryPort, random: (most: number) => number) {
    this.#qemu = new FakeQemu(port)
    this.#port = port
    this.#random = random
  }

  welcome(): Promise<void> {
    return this.#qemu.welcome()
  }

  async serve(): Promise<never> {
    for (;;) {
      const to = await this.#qemu.next()
      const value = { n: to.arguments?.n ?? `plain ${this.#plain++}` }
      if (to['exec-oob']) this.#say({ to, value })
      else this.#queue.push({ to, value })
    }
  }

  /** Answers some of the commands that wait. */
  answer(): void {
    for (let count = this.#random(10); count > 0 && this.#queue.length > 0; count--)
      this.#say(this.#queue.shift()!)
  }

  #say({ to: { id }, value }: { readonly to: Received; readonly value: unknown }): void {
    const reply =
      this.#random(5) > 0
        ? { return: value }
        : { error: { class: 'GenericError', desc: JSON.stringify(value) } }
    const event = '{"event":"STOP","timestamp":{"seconds":1,"microseconds":0}}\r\n'
    const text = `${this.#random(4) === 0 ? event : ''}${JSON.stringify({ ...reply, ...(id !== undefined && { id }) })}\r\n`
    const cut = this.#random(text.length)
    for (const piece of [text.slice(0, cut), text.slice(cut)]) if (piece) this.#port.send(Buffer.from(piece))
  }
}

test(`of ${exchanges} exchanges none gets the reply to another command`, {
  timeout: 20_000 + exchanges,
}, async () => {
  const next = randomOf(seed)
  const random = (most: number) => next() % most
  const clock = new ManualClock()
  const [ours, theirs] = portPair()
  const server = new Server(theirs, random)
  const client = new QmpClient(ours, { clock, timeoutMs: 10 })
  await server.welcome()
  await client.ready
  void server.serve()
  let plain = 0
  const wrong: string[] = []
  const counts = { answered: 0, late: 0, unsent: 0 }
  const begin = async (n: number): Promise<void> => {
    const kind = random(3)
    // An unsent command would not be counted by the server: those that may wait in the queue have arguments.
    const isPlain = kind === 0 && n % 16 === 0
    const expected = isPlain ? `plain ${plain++}` : n
    const asked = isPlain
      ? client.execute('count', undefined, { timeoutMs: 10_000_000 })
      : client.execute('echo', { n }, kind === 1 ? { oob: true } : {})
    const said = await asked.then(
      value => value as unknown as { n: unknown },
      (failure: QmpError) => {
        if (failure.code !== 'QMP_TIMEOUT') return JSON.parse(failure.reason) as { n: unknown }
        counts[failure.outcome === 'unsent' ? 'unsent' : 'late']++
        return undefined
      },
    )
    if (!said) return
    counts.answered++
    if (said.n !== expected) wrong.push(`${expected} got ${said.n}`)
  }
  const pending = new Set<Promise<void>>()
  for (let n = 0; n < exchanges; n++) {
    const one: Promise<void> = begin(n).finally(() => pending.delete(one))
    pending.add(one)
    if (random(6) > 0 && n % 16 !== 15) continue
    server.answer()
    clock.pass(random(4))
    await new Promise(resolve => setImmediate(resolve))
  }
  for (let tries = 0; pending.size > 0 && tries < 10_000; tries++) {
    server.answer()
    clock.pass(1)
    await new Promise(resolve => setImmediate(resolve))
  }
  expect(pending.size).toBe(0)
  expect(wrong).toEqual([])
  expect(counts.answered).toBeGreaterThan(exchanges / 4)
  expect(counts.late).toBeGreaterThan(exchanges / 1000)
  await client.close()
})
