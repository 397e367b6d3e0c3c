import { join } from 'node:path'
import type { CaptureStatus } from '../api/index.ts'
import { nodeName } from '../base/index.ts'
import type { Cluster, Recording } from '../cluster/index.ts'
import { makeDirectory } from '../sys/index.ts'
import { OwnerError } from './errors.ts'

/** The captures of one owner, by node and interface. Their files lie in its directory until they are fetched. */
export class Captures {
  readonly #directory: string
  readonly #running = new Map<string, Recording>()

  constructor(directory: string) {
    this.#directory = directory
  }

  /** Starts a capture of each interface, or of none: then throws, CAPTURE_RUNNING for one that runs already. */
  async start(
    cluster: Pick<Cluster, 'capture'>,
    node: number,
    devs: readonly string[],
  ): Promise<CaptureStatus[]> {
    const taken = devs.find(dev => this.#running.has(keyOf(node, dev)))
    if (taken !== undefined) throw running(keyOf(node, taken))
    makeDirectory(this.#directory, 0o700)
    const started: string[] = []
    try {
      for (const dev of devs) {
        const key = keyOf(node, dev)
        this.#running.set(key, await cluster.capture(node, dev, join(this.#directory, `${key}.pcap`)))
        started.push(dev)
      }
    } catch (failure) {
      await Promise.allSettled(started.map(dev => this.#end(node, dev)))
      throw failure
    }
    return devs.map(dev => statusOf({ node, dev }, this.#running.get(keyOf(node, dev))!))
  }

  /** Ends captures. Their files are complete. Throws CAPTURE_MISSING for one that does not run, and ends none. */
  async end(node: number, devs: readonly string[]): Promise<CaptureStatus[]> {
    const missing = devs.find(dev => !this.#running.has(keyOf(node, dev)))
    if (missing !== undefined) throw notRunning(keyOf(node, missing))
    return await Promise.all(devs.map(dev => this.#end(node, dev)))
  }

  /** The interfaces of a node whose captures run. */
  of(node: number): string[] {
    const start = keyOf(node, '')
    return [...this.#running.keys()].filter(key => key.startsWith(start)).map(key => key.slice(start.length))
  }

  async #end(node: number, dev: string): Promise<CaptureStatus> {
    const recording = this.#running.get(keyOf(node, dev))!
    this.#running.delete(keyOf(node, dev))
    await recording.close()
    return statusOf({ node, dev }, recording)
  }
}

const keyOf = (node: number, dev: string): string => `${nodeName(node)}-${dev}`

function statusOf(
  { node, dev }: { readonly node: number; readonly dev: string },
  { file, recorded }: Recording,
): CaptureStatus {
  return { node: nodeName(node), dev, file, ...recorded }
}

function running(target: string): OwnerError {
  const reason = 'a capture of it runs already'
  const remedy = 'Fetch that one first: `xc tcpdump --get`'
  return new OwnerError({ code: 'CAPTURE_RUNNING', kind: 'usage', op: 'capture', target, reason, remedy })
}

function notRunning(target: string): OwnerError {
  const reason = 'no capture of it runs'
  const remedy = 'Start one first: `xc tcpdump --start`'
  return new OwnerError({
    code: 'CAPTURE_MISSING',
    kind: 'missing',
    op: 'end capture',
    target,
    reason,
    remedy,
  })
}
