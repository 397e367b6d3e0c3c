import { copyFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { Scope } from '../src/base/index.ts'
import type { Benchmark, Case, Sample } from './benchmark.ts'
import { addressesOf } from './dns/answers.ts'
import { load, percentile } from './dns/load.ts'
import {
  programs,
  type Running,
  type ServerResources,
  serverResources,
  startDnsmasq,
  startNsd,
  startOurs,
} from './dns/servers.ts'
import { writeAll, writeQuestions } from './dns/zone.ts'

const names = 100_000
/** How often the file is read again, while other names are asked for. */
const again = 5
const few = 100

/** A hosts file of 100,000 names: what reading it costs, and what others notice. */
const dnsHosts: Benchmark = {
  rounds: { usual: 5, quick: 1 },
  needs: programs,
  async prepare(scope) {
    const host = serverResources(scope)
    const { directory } = host
    const nsd = await startNsd(host)
    const file = join(directory, 'hosts')
    writeVersions(file)
    const variants = {
      ours: () => measure(host, file, each => startOurs(each, nsd.port, ['--hosts', file])),
      dnsmasq: () => measure(host, file, each => startDnsmasq(each, nsd.port, [`--addn-hosts=${file}`])),
    }
    const units = {
      'first reading, CPU': 'ms',
      'further readings, CPU': 'ms',
      memory: 'MiB',
      'memory after further readings': 'MiB',
      'p99 of others meanwhile': 'ms',
      'others lost': 'count',
      'p99 of others otherwise': 'ms',
    } as const
    const hosts: Case = {
      n: names,
      units,
      variants,
      ratios: [['ours', 'dnsmasq']],
      ratiosOf: Object.keys(units).slice(0, 4),
    }
    return { cases: [hosts] }
  },
}
export default dnsHosts

/** Writes the files beforehand: that takes as much of a processor as reading them. */
function writeVersions(file: string): void {
  const line = (i: number) => `10.${i >> 16}.${(i >> 8) & 255}.${i & 255} host-${i}.lab.example\n`
  const text = Array.from({ length: names - 1 }, (_, i) => line(i)).join('')
  for (let version = 0; version <= 2 * again; version++)
    writeFileSync(`${file}${version}`, `${text}10.255.0.1 last${version}.lab.example\n`)
}

async function measure(
  host: ServerResources,
  file: string,
  start: (host: ServerResources) => Promise<Running>,
): Promise<Sample> {
  await using scope = new Scope()
  writeFileSync(file, '192.0.2.1 only.lab.example\n')
  const server = await start({ ...host, scope })
  const asked = { clients: 4, outstanding: 20, file: writeAll(host.directory, few) }
  await load(server, { ...asked, seconds: 10, once: true })
  const [cpu, memory] = [server.cpuSeconds(), server.residentBytes()]
  await reread(server, file, 0)
  const first = { cpu: server.cpuSeconds() - cpu, memory: server.residentBytes() - memory }
  const before = server.cpuSeconds()
  for (let version = 1; version <= again; version++) await reread(server, file, version)
  const further = server.cpuSeconds() - before
  const questions = writeQuestions(host.directory, few, 50_000)
  const load3 = { ...asked, file: questions, seconds: 3, rate: 2000, times: true }
  const alone = await load(server, load3)
  const loaded = load(server, load3)
  for (let version = again + 1; version <= 2 * again; version++) await reread(server, file, version)
  const { latencies, lost } = await loaded
  return {
    'first reading, CPU': first.cpu * 1000,
    'further readings, CPU': (further * 1000) / again,
    memory: first.memory / 2 ** 20,
    'memory after further readings': (server.residentBytes() - memory) / 2 ** 20,
    'others lost': lost,
    // Of dnsperf nothing comes back when too much is lost.
    ...(latencies.length > 0 && { 'p99 of others meanwhile': percentile(latencies, 0.99) }),
    'p99 of others otherwise': percentile(alone.latencies, 0.99),
  }
}

/** Until the last name of the file is answered. */
async function reread(server: Running, file: string, version: number): Promise<void> {
  copyFileSync(`${file}${version}`, `${file}-next`)
  renameSync(`${file}-next`, file)
  server.reload()
  const name = `last${version}.lab.example`
  while (!(await addressesOf({ port: server.port, name, timeoutMs: 500 }))?.length) await pause(20)
}
