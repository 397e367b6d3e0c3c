import { Scope } from '../src/base/index.ts'
import type { Benchmark, Case, Sample } from './benchmark.ts'
import { load } from './dns/load.ts'
import {
  programs,
  type Running,
  type ServerResources,
  serverResources,
  startNsd,
  startOurs,
  startUnbound,
} from './dns/servers.ts'
import { writeMisses } from './dns/zone.ts'

/** Names before the measurement, after which a process has the memory that it works with. */
const before = 20_000
const measured = 100_000

/** Resident memory for each cached name with one A record. Each round has a process of its own. */
const dnsMemory: Benchmark = {
  rounds: { usual: 3, quick: 1 },
  needs: programs,
  async prepare(scope) {
    const host = serverResources(scope)
    const nsd = await startNsd(host)
    const room = ['--cache-size', `${before + measured + 1000}`]
    const of = (start: (host: ServerResources) => Promise<Running>) => () => bytesPerName(host, start)
    const variants = {
      ours: of(each => startOurs(each, nsd.port, room)),
      unbound: of(each => startUnbound(each, nsd.port)),
    }
    const memory: Case = {
      n: measured,
      units: { 'a cached name': 'bytes' },
      variants,
      ratios: [['ours', 'unbound']],
    }
    return { cases: [memory] }
  },
}
export default dnsMemory

let files = 0

async function bytesPerName(
  host: ServerResources,
  start: (host: ServerResources) => Promise<Running>,
): Promise<Sample> {
  await using scope = new Scope()
  const server = await start({ ...host, scope })
  const ask = async (count: number) => {
    const file = writeMisses(host.directory, `memory${files++}`, count)
    const { lost, bad } = await load(server, { file, seconds: 120, clients: 10, outstanding: 50, once: true })
    if (lost + bad > 0) throw new Error(`${lost} names were not answered, and ${bad} wrongly`)
    return server.residentBytes()
  }
  const first = await ask(before)
  return { 'a cached name': ((await ask(measured)) - first) / measured }
}
