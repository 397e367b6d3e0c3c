import { execFile } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { clusterPlaces, type Places, places } from '../../../src/base/index.ts'
import { OwnerClient } from '../../../src/client/index.ts'
import { waitFor } from '../wait.ts'
import type { Xc, XcResult } from '../xc.ts'
import { armed, type HostileKind } from './kinds.ts'

/** How an owner and `xc` fared while guests attacked. Times are in milliseconds. */
export interface Fared {
  /** `xc status`, whole processes. */
  readonly statusMs: readonly number[]
  /** A Node that does nothing, in turns with those: what the machine's load alone does to a process. */
  readonly nodeMs: readonly number[]
  /** The owner's answers to `GET /v1/status`, without the process of `xc`. */
  readonly answerMs: readonly number[]
  /** `xc pause` and `xc resume` of a node whose guest is good, each as a whole process. */
  readonly pauseMs: number
  readonly scaleOutMs: number
  readonly stopMs: number
  /** By how much the owner's memory grew at most, in MiB. */
  readonly growthMiB: number
  /** The part of a processor that the owner used. */
  readonly cpu: number
  /** By kind, what a command in that guest ended with: its status, or the failure. */
  readonly commands: Readonly<Record<string, number | Error>>
  /** Every `xc` that ran meanwhile, by what it did. */
  readonly said: Readonly<
    Record<'status' | 'good' | 'verify' | 'pause' | 'scaleOut' | 'logs' | 'stop', XcResult>
  >
  /** `xc verify`, until it has said what is known of each guest. */
  readonly verifyMs: number
}

const run = promisify(execFile)

const good = 1
const firstHostile = 2
const router = '201'

/**
 * Starts a cluster of one good guest and one of each of these kinds, lets those attack, and uses the cluster. A router
 * that is added changes the routes of all nodes. A command waits for the first hostile guest when the cluster is stopped.
 */
export async function attack(xc: Xc, kinds: readonly HostileKind[]): Promise<Fared> {
  await xc.good(['start', '--nvm', `${kinds.length + 1}`, '--nrouters', '0', '--smp', '1', '--mem', '128'])
  try {
    await xc.good(['exec', `${good}`, '--', 'true'])
    const owner = new Watched(xc)
    const client = new OwnerClient(owner.places, 'default')
    await client.status()
    owner.begin()
    const hostile = kinds.map((kind, index) => ({ kind, id: firstHostile + index }))
    await Promise.all(hostile.map(each => arm(xc, owner, each)))
    await Promise.all(hostile.map(each => ended(client, owner, each)))
    const fared = await use(xc, client, kinds)
    const [growthMiB, cpu] = [owner.growthMiB(), owner.cpu()]
    const waiting = xc.begin(['exec', `${firstHostile}`, '--timeout', '60', '--', 'true'])
    const [stop, stopMs] = await timed(() => xc.run(['stop']))
    await waiting.result
    return { ...fared, growthMiB, cpu, stopMs, said: { ...fared.said, stop } }
  } catch (failure) {
    await xc.run(['stop'])
    throw failure
  }
}

async function arm(
  xc: Xc,
  owner: Watched,
  { kind, id }: { readonly kind: HostileKind; readonly id: number },
): Promise<void> {
  await xc.good(['exec', `${id}`, '-i', '--timeout', '60', '--', 'sh'], kind.script)
  const log = owner.consoleOf(id)
  const isArmed = () => readFileSync(log, 'latin1').includes(armed)
  if (!(await waitFor(isArmed, 60_000))) throw new Error(`${kind.name}: it does not begin`)
}

/** Waits for the end of a guest that ends itself. */
async function ended(
  client: OwnerClient,
  owner: Watched,
  { kind: { name, ends, shows }, id }: { readonly kind: HostileKind; readonly id: number },
): Promise<void> {
  const log = owner.consoleOf(id)
  const isOver = async () => {
    if (shows !== undefined && !readFileSync(log, 'latin1').includes(shows)) return false
    if (!ends) return true
    const { nodes } = await client.status()
    return nodes.find(node => node.id === id)?.state === 'failed'
  }
  if (!(await waitFor(isOver, 60_000))) throw new Error(`${name}: it does not end`)
}

async function use(
  xc: Xc,
  client: OwnerClient,
  kinds: readonly HostileKind[],
): Promise<Omit<Fared, 'growthMiB' | 'cpu' | 'stopMs'>> {
  const answers = new Answers(client)
  const waiting = Promise.all(
    kinds.map(({ name }, index) => command(client, firstHostile + index).then(end => [name, end] as const)),
  )
  const [statusMs, nodeMs]: [number[], number[]] = [[], []]
  let status!: XcResult
  for (let asked = 0; asked < 10; asked++) {
    const [result, ms] = await timed(() => xc.run(['status']))
    status = result
    statusMs.push(ms)
    nodeMs.push((await timed(() => run(process.execPath, ['-e', '0'])))[1])
  }
  const goodSaid = await xc.run(['exec', `${good}`, '--', 'echo', 'good'])
  const [pause, pauseMs] = await timed(() => xc.run(['pause', `${good}`]))
  await xc.good(['resume', `${good}`])
  const commands = Object.fromEntries(await waiting)
  const [verify, verifyMs] = await timed(() => xc.run(['verify', '--json']))
  const [scaleOut, scaleOutMs] = await timed(() => xc.run(['scaleout', router]))
  const logs = await xc.run(['logs', `${firstHostile}`])
  const answerMs = await answers.end()
  const said = { status, good: goodSaid, verify, pause, scaleOut, logs }
  const times = { statusMs, nodeMs, answerMs, pauseMs, verifyMs, scaleOutMs }
  return { ...times, commands, said: said as Fared['said'] }
}

function command(client: OwnerClient, node: number): Promise<number | Error> {
  return client.exec(`${node}`, { argv: ['true'], timeoutMs: 6000 }).then(
    ({ status }) => status,
    (failure: Error) => failure,
  )
}

async function timed<T>(work: () => Promise<T>): Promise<[T, number]> {
  const began = performance.now()
  const result = await work()
  return [result, performance.now() - began]
}

/** Asks an owner for its status ten times a second. */
class Answers {
  readonly #ms: number[] = []
  readonly #done: Promise<void>
  #ended = false

  constructor(client: OwnerClient) {
    this.#done = this.#ask(client)
  }

  async end(): Promise<readonly number[]> {
    this.#ended = true
    await this.#done
    return this.#ms
  }

  async #ask(client: OwnerClient): Promise<void> {
    while (!this.#ended) {
      const [, ms] = await timed(() => client.status())
      this.#ms.push(ms)
      await new Promise(resolve => setTimeout(resolve, 100))
    }
  }
}

/** An owner's use of memory and processor (proc(5)). */
class Watched {
  readonly places: Places
  readonly #state: string
  readonly #pid: number
  #before = { rss: 0, ticks: 0, at: 0 }

  constructor(xc: Xc) {
    this.places = places(xc.env, process.getuid!())
    this.#state = clusterPlaces(this.places, 'default').logs
    this.#pid = ownerPid(clusterPlaces(this.places, 'default').logs)
  }

  consoleOf(id: number): string {
    return join(this.#state, `vm-${String(id).padStart(3, '0')}.log`)
  }

  begin(): void {
    writeFileSync(`/proc/${this.#pid}/clear_refs`, '5') // the peak is the present from now on
    this.#before = { rss: this.#status('VmRSS'), ticks: this.#ticks(), at: performance.now() }
  }

  growthMiB(): number {
    return (this.#status('VmHWM') - this.#before.rss) / 1024
  }

  cpu(): number {
    return ((this.#ticks() - this.#before.ticks) * 10) / (performance.now() - this.#before.at)
  }

  #status(name: string): number {
    const [, kib = '0'] = new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(read(this.#pid, 'status')) ?? []
    return Number(kib)
  }

  /** Hundredths of a second, of the process and its threads. */
  #ticks(): number {
    const fields = read(this.#pid, 'stat').split(') ')[1]!.split(' ')
    return Number(fields[11]) + Number(fields[12])
  }
}

function read(pid: number, name: string): string {
  return readFileSync(`/proc/${pid}/${name}`, 'latin1')
}

function ownerPid(logs: string): number {
  const [, pid = ''] =
    [...readFileSync(join(logs, 'owner.log'), 'utf8').matchAll(/starts, pid (\d+)/g)].at(-1) ?? []
  return Number(pid)
}
