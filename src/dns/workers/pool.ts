import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { type ErrorJson, RemoteError, Scope } from '../../base/index.ts'
import { DnsError } from '../errors.ts'
import { serveMetrics } from '../observe/metrics-server.ts'
import { prometheusText } from '../observe/prometheus.ts'
import { merge, type Snapshot } from '../observe/snapshot.ts'
import { type Dns, type DnsOptions, openDns, usualMetricsPort } from '../open.ts'
import { parsePlace, placeText } from '../server/address.ts'

/** Options that may go to another thread. */
export type ThreadOptions = Omit<DnsOptions, 'namespace' | 'clock' | 'dialer' | 'notice' | 'onPanic'>

/** What threads are told. */
export type ThreadOrder = 'reload' | 'snapshot' | 'close'

/** What they say. */
export type ThreadReport =
  | { readonly is: 'ready'; readonly places: Dns['places'] }
  | { readonly is: 'notice'; readonly text: string }
  | { readonly is: 'snapshot'; readonly snapshot: Snapshot }
  | { readonly is: 'done' }
  | { readonly is: 'failed'; readonly error: ErrorJson }

/** A forwarder in several threads, as one. */
export type ThreadedDns = Pick<Dns, 'places' | 'metrics' | 'reload' | 'close'> & AsyncDisposable

export interface WorkerPool {
  readonly threads: number
  readonly notice: (text: string) => void
  /** A thread ended by itself: the others go on, but not all is well. */
  readonly onDeath: (failure: DnsError) => void
}

/**
 * One forwarder a thread, each with sockets and a cache of its own at the same places (SO_REUSEPORT): the kernel
 * gives every asker's packets to one of them.
 */
export async function openThreads(options: ThreadOptions, crew: WorkerPool): Promise<ThreadedDns> {
  await using scope = new Scope()
  const { metrics, ...shared } = options
  const places = await freePlaces(options)
  const listen = places.map(placeText)
  const counting = metrics !== undefined
  const members: Member[] = []
  // They read the same files: what one has to say is enough.
  for (let i = 0; i < crew.threads; i++)
    members.push(
      scope.add(
        await Member.start(
          { ...shared, listen, counting, reusePort: true },
          i === 0 ? crew : { ...crew, notice() {} },
        ),
      ),
    )
  const telling = async () =>
    prometheusText(merge(await Promise.all(members.map(each => each.snapshot()))), listen[0]!)
  const served = metrics === undefined ? undefined : parsePlace(metrics, usualMetricsPort)
  const { port = 0 } = served ? scope.add(await serveMetrics(served, telling)) : {}
  const all = scope.move()
  const close = () => all.close()
  return {
    places,
    metrics: served && { address: served.address, port },
    reload: async () => void (await Promise.all(members.map(each => each.reload()))),
    close,
    [Symbol.asyncDispose]: close,
  }
}

/**
 * Sockets that share a port would share it with another forwarder of this user's too: one that does not share looks
 * first whether it is free, and which port 0 stands for.
 */
async function freePlaces({ listen, plainUdp }: ThreadOptions): Promise<Dns['places']> {
  const first = await openDns({ ...(listen && { listen }), ...(plainUdp && { plainUdp }), upstreams: [] })
  await first.close()
  return first.places
}

class Member implements AsyncDisposable {
  readonly #worker: Worker
  #ended = false

  private constructor(worker: Worker) {
    this.#worker = worker
  }

  static async start(options: ThreadOptions, { notice, onDeath }: WorkerPool): Promise<Member> {
    const worker = new Worker(script, { workerData: options })
    const member = new Member(worker)
    worker.on('message', (report: ThreadReport) => {
      if (report.is === 'notice') notice(report.text)
    })
    await member.#hear('ready')
    worker.on('error', cause => onDeath(died(cause)))
    worker.on('exit', () => {
      if (!member.#ended) onDeath(died(undefined))
      member.#ended = true
    })
    return member
  }

  async snapshot(): Promise<Snapshot> {
    const { snapshot } = await this.#ask('snapshot', 'snapshot')
    return snapshot
  }

  async reload(): Promise<void> {
    await this.#ask('reload', 'done')
  }

  async close(): Promise<void> {
    if (this.#ended) return
    this.#ended = true
    const exited = once(this.#worker, 'exit')
    this.#worker.postMessage('close' satisfies ThreadOrder)
    await exited
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #ask<Is extends ThreadReport['is']>(order: ThreadOrder, is: Is) {
    if (this.#ended) throw died(undefined)
    const heard = this.#hear(is)
    this.#worker.postMessage(order)
    return heard
  }

  /** The next report of this kind; throws when the thread fails or ends first. */
  #hear<Is extends ThreadReport['is']>(is: Is): Promise<Extract<ThreadReport, { is: Is }>> {
    const worker = this.#worker
    return new Promise((resolve, reject) => {
      const stop = () => {
        worker.off('message', onMessage)
        worker.off('error', onError)
        worker.off('exit', onExit)
      }
      const onMessage = (report: ThreadReport) => {
        if (report.is !== is && report.is !== 'failed') return
        stop()
        if (report.is === 'failed') reject(new RemoteError(report.error))
        else resolve(report as Extract<ThreadReport, { is: Is }>)
      }
      const onError = (failure: unknown) => {
        stop()
        reject(failure)
      }
      const onExit = () => onError(died(undefined))
      worker.on('message', onMessage).once('error', onError).once('exit', onExit)
    })
  }
}

/** Beside this module, be it compiled, packed, or a source that runs as it is. */
const script = fileURLToPath(import.meta.url).replace(/[^/]+(\.[jt]s)$/, 'worker$1')

function died(cause: unknown): DnsError {
  const reason = cause instanceof Error ? (cause.stack ?? cause.message) : 'it ended'
  return new DnsError({ code: 'DNS_THREAD_DIED', op: 'answer DNS in a thread', reason, cause })
}
