import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { type ErrorJson, RemoteError, Scope, type TraceMessage } from '../../base/index.ts'
import { packageRoot } from '../../sys/index.ts'
import { DnsError } from '../errors.ts'
import { serveMetrics } from '../observe/metrics-server.ts'
import { prometheusText } from '../observe/prometheus.ts'
import { merge, type Snapshot } from '../observe/snapshot.ts'
import { type DnsTraceValue, trace } from '../observe/trace.ts'
import { type Dns, type DnsOptions, openDns, usualMetricsPort } from '../open.ts'
import { parsePlace, placeText } from '../server/address.ts'
import { take } from '../takes.ts'

/** The options that can be sent to another thread. */
export type ThreadOptions = Omit<DnsOptions, 'namespace' | 'clock' | 'dialer' | 'notice' | 'onPanic'>

/** The data a thread starts with: its options, and whether its messages are traced. */
export interface ThreadData {
  readonly options: ThreadOptions
  readonly traced: boolean
}

/** Orders to a thread. */
export type ThreadOrder = 'reload' | 'snapshot' | 'close'

/** Reports of a thread. */
export type ThreadReport =
  | { readonly is: 'ready'; readonly places: Dns['places'] }
  | { readonly is: 'notice'; readonly text: string }
  | { readonly is: 'trace'; readonly message: TraceMessage<DnsTraceValue> }
  | { readonly is: 'snapshot'; readonly snapshot: Snapshot }
  | { readonly is: 'done' }
  | { readonly is: 'failed'; readonly error: ErrorJson }

/** A forwarder in several threads, used as one. */
export type ThreadedDns = Pick<Dns, 'places' | 'metrics' | 'reload' | 'close'> & AsyncDisposable

export interface WorkerPool {
  readonly threads: number
  readonly notice: (text: string) => void
  /** Called when a thread ends by itself. The others continue. */
  readonly onDeath: (failure: DnsError) => void
}

/**
 * One forwarder in each thread, with sockets and a cache of its own, all at the same places (SO_REUSEPORT):
 * the kernel assigns every client to one of them.
 */
export async function openThreads(options: ThreadOptions, pool: WorkerPool): Promise<ThreadedDns> {
  take('open DNS forwarder', options, 'server')
  take('open DNS forwarder', pool, 'pool')
  await using scope = new Scope()
  const { metrics, ...shared } = options
  const places = await freePlaces(options)
  const listen = places.map(placeText)
  const counting = metrics !== undefined
  const members: Member[] = []
  // All threads read the same files: the notices of one are enough.
  for (let i = 0; i < pool.threads; i++)
    members.push(
      scope.add(
        await Member.start(
          { ...shared, listen, counting, reusePort: true },
          i === 0 ? pool : { ...pool, notice() {} },
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
 * Sockets that share a port would also share it with another forwarder of the same user. So a socket that
 * does not share first checks that the port is free, and finds the one for port 0.
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
    // A thread has channels of its own: what is told there is told once more here.
    const workerData: ThreadData = { options, traced: trace.on }
    const worker = new Worker(scriptOf(import.meta.url), { workerData })
    const member = new Member(worker)
    worker.on('message', (report: ThreadReport) => {
      if (report.is === 'notice') notice(report.text)
      if (report.is === 'trace') trace.relay(report.message)
    })
    await member.#next('ready')
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
    const report = this.#next(is)
    this.#worker.postMessage(order)
    return report
  }

  /** The next report of this kind. Throws when the thread fails or ends first. */
  #next<Is extends ThreadReport['is']>(is: Is): Promise<Extract<ThreadReport, { is: Is }>> {
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

/** Beside this module, be it compiled, packed, or a source that runs as it is. In the bundle of a user: the package's. */
function scriptOf(url: string | undefined): string {
  const root = packageRoot()
  const here = url ? fileURLToPath(url) : ''
  return here.startsWith(root)
    ? here.replace(/[^/]+(\.[jt]s)$/, 'worker$1')
    : `${root}dist/programs/worker.js`
}

function died(cause: unknown): DnsError {
  const reason = cause instanceof Error ? (cause.stack ?? cause.message) : 'the thread ended'
  return new DnsError({ code: 'DNS_THREAD_DIED', op: 'answer DNS in a thread', reason, cause })
}
