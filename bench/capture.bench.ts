import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { type Cluster, type LinkChoice, startCluster } from '../src/index.ts'
import { Xc } from '../test/support/xc.ts'
import type { Benchmark, Sample } from './benchmark.ts'

const perTransfer = 512 << 20
const pings = 20

const units = { transfer: 'ms', frames: 'count', lost: 'count' } as const
const waitUnits = { delay: 'ms', slowest: 'ms' } as const
const ratios = [
  ['captured', 'plain'],
  ['captured', 'tcpdump'],
  ['captured twice', 'plain'],
  ['captured, headers', 'plain'],
  ['captured, xc', 'plain, xc'],
] as const

/**
 * What a capture costs: iperf3 sends 512 MiB from one guest to another, with no capture, with one of the receiver's link
 * into a file, by this process, by tcpdump(1) and by `xc capture`, with one of both links, which has each packet twice,
 * and with one of 128 bytes of each packet. Then how soon a program has a packet after the kernel saw it.
 */
const capture: Benchmark = {
  rounds: { usual: 9, quick: 2 },
  needs: ['iperf3', 'nsenter', 'tcpdump'],
  async prepare(scope) {
    const cluster = await startCluster({ nvm: 2, nrouters: 0, with: 'iperf3' })
    scope.defer(() => cluster.stop())
    await cluster.exec(1, ['iperf3', '-s', '-D'])
    const xc = new Xc()
    scope.defer(() => rmSync(xc.root, { recursive: true, force: true }))
    await xc.good(['start', '--nvm', '2', '--nrouters', '0', '--with', 'iperf3'])
    scope.defer(() => xc.run(['stop']).then(() => {}))
    await xc.good(['exec', '1', '--', 'iperf3', '-s', '-D'])
    const file = join(xc.root, 'all.pcapng')

    const byCluster = () => transfer(async args => textOf((await cluster.exec(2, args)).stdout))
    const byXc = () => transfer(args => xc.good(['exec', '2', '--', ...args]))
    const captured = async (links: LinkChoice & { snapLength?: number }) => {
      using _ = removedLater(file)
      const running = await cluster.capture({ ...links, file })
      const sample = await byCluster()
      const { frames, lost } = await running.close()
      return { ...sample, frames, lost }
    }
    const variants = {
      plain: byCluster,
      captured: () => captured({ nodes: [1], nets: [1] }),
      tcpdump: async () => {
        using _ = removedLater(file)
        await using _tcpdump = await Tcpdump.start(cluster.status().netns, file)
        return byCluster()
      },
      'captured twice': () => captured({ nets: [1] }),
      'captured, headers': () => captured({ nodes: [1], nets: [1], snapLength: 128 }),
      'plain, xc': byXc,
      'captured, xc': async () => {
        using _ = removedLater(file)
        const running = xc.begin(['capture', '--node', '1', '--net', '1', '-w', file])
        await running.says(/apturing/)
        const sample = await byXc()
        running.child.kill('SIGINT')
        const { stderr } = await running.result
        return { ...sample, lost: Number(/(\d+) (?:lost|dropped)/.exec(stderr)?.[1] ?? 0) }
      },
    }
    const waits = { n: 2, units: waitUnits, variants: { packet: () => wait(cluster) } }
    return { cases: [{ n: 2, units, variants, ratios }, waits], accel: 'tcg' }
  },
}
export default capture

/** Removes a capture before the kernel writes it to the disk, while something else is measured. */
const removedLater = (file: string): Disposable => ({
  [Symbol.dispose]: () => rmSync(file, { force: true }),
})

/** tcpdump(1) of node 1's link on net 1: all of each packet, with the buffer of `cluster.capture`. */
class Tcpdump implements AsyncDisposable {
  readonly #child: ChildProcess

  static async start(netns: string, file: string): Promise<Tcpdump> {
    const words = ['tcpdump', '-i', 'xcbr1_t1', '-s', '262144', '-B', '32768', '-Z', 'root', '-w', file]
    const child = spawn('nsenter', [`--net=${netns}`, ...words], { stdio: ['ignore', 'ignore', 'pipe'] })
    await once(child.stderr, 'data') // it listens
    return new Tcpdump(child)
  }

  constructor(child: ChildProcess) {
    this.#child = child
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGINT')
    await once(this.#child, 'exit')
  }
}

/** Milliseconds that iperf3 took, by its own clock. */
async function transfer(run: (args: string[]) => Promise<string>): Promise<Sample> {
  const report = JSON.parse(await run(['iperf3', '-J', '-c', '192.168.1.1', '-n', `${perTransfer}`]))
  return { transfer: 1000 * report.end.sum_received.seconds }
}

/** From the kernel's time of a ping's request until the program has it. */
async function wait(cluster: Cluster): Promise<Sample> {
  const delays: number[] = []
  for (let size = 0; size < pings; size++) {
    const found = cluster.packet('icmp and src host 192.168.1.2', { nodes: [2], timeoutMs: 10_000 })
    const seen = found.then(({ at }) => delays.push(performance.timeOrigin + performance.now() - at))
    await cluster.exec(2, ['ping', '-q', '-c', '3', '-i', '0.1', '192.168.1.1'])
    await seen
  }
  delays.sort((one, other) => one - other)
  return { delay: delays[pings >> 1]!, slowest: delays.at(-1)! }
}

const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString()
