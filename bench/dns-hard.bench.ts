import { spawn } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { join, resolve } from 'node:path'
import { text } from 'node:stream/consumers'
import type { Benchmark, Case } from './benchmark.ts'
import { compile } from './compile.ts'
import { load, percentile } from './dns/load.ts'
import { cores, type Running, serverResources, startNsd, startOurs } from './dns/servers.ts'
import { names, writeQuestions } from './dns/zone.ts'

const rate = 10_000
const garbage = 50_000
/** The number of queries after which memory is measured: `XCLUSTER_BENCH_QUERIES=10000000` for all of them. */
const queries = Number(process.env.XCLUSTER_BENCH_QUERIES ?? 500_000)

/** Loads that the forwarder must withstand: garbage, a thousand clients with the same query, and time. */
const hard: Benchmark = {
  rounds: { usual: 5, quick: 1 },
  needs: ['cc', 'dnsperf', 'nsd', 'taskset'],
  async prepare(scope) {
    const host = serverResources(scope)
    const { directory } = host
    const nsd = await startNsd(host)
    const ours = await startOurs(host, nsd.port, ['--log', join(directory, 'log')])
    const file = writeQuestions(directory, names, 5 * names)
    const program = compile(resolve('bench/dns/garbage.c'), scope)
    return { cases: [beside(ours, { file, program }), same(ours), memory(ours, file)] }
  },
}
export default hard

function beside(ours: Running, { file, program }: { file: string; program: string }): Case {
  const p99 = async () => {
    const asked = { file, seconds: 3, clients: 10, outstanding: 100, rate, times: true }
    const { latencies, lost } = await load(ours, asked)
    return { p99: percentile(latencies, 0.99), lost }
  }
  const withGarbage = async () => {
    const command = [program, `${ours.port}`, `${garbage}`]
    const child = spawn('taskset', ['-c', cores.load, ...command], { stdio: ['ignore', 'pipe', 'inherit'] })
    const said = text(child.stdout)
    try {
      const sample = await p99()
      child.kill('SIGTERM')
      const [datagrams, chains] = (await said).split(' ').map(Number)
      if (!datagrams || !chains) throw new Error('the sender of garbage ended early')
      return { ...sample, 'garbage sent': datagrams, 'chains sent': chains }
    } finally {
      child.kill('SIGKILL')
    }
  }
  const variants = { 'with garbage': withGarbage, alone: p99 }
  const units = {
    p99: 'ms',
    lost: 'count',
    'garbage sent': 'per second',
    'chains sent': 'per second',
  } as const
  return { n: names, units, variants, ratios: [['with garbage', 'alone']] }
}

let fresh = 0

/**
 * The time until a thousand queries for one new name, sent at once with as many ids, are answered. The
 * upstream's answer is the slow part.
 */
function same(ours: Running): Case {
  const run = async () => {
    const name = `same${fresh++}.miss.bench.xcluster`
    const socket = createSocket({ type: 'udp4', recvBufferSize: 1 << 20 })
    const labels = name.split('.').map(label => Buffer.from(`${String.fromCharCode(label.length)}${label}`))
    const began = performance.now()
    const answered = new Promise<number>(done => {
      let count = 0
      socket.on('message', () => {
        if (++count === 1000) done(performance.now() - began)
      })
      setTimeout(() => done(Number.POSITIVE_INFINITY), 5000).unref()
    })
    for (let id = 0; id < 1000; id++) {
      const head = Buffer.from([id >> 8, id & 255, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0])
      socket.send(Buffer.concat([head, ...labels, Buffer.from([0, 0, 1, 0, 1])]), ours.port, '127.0.0.1')
    }
    const ms = await answered
    socket.close()
    return { 'a thousand of the same': ms }
  }
  return { n: 1, units: { 'a thousand of the same': 'ms' }, variants: { ours: run } }
}

/** Resident memory when the cache is full, and after all queries. */
function memory(ours: Running, file: string): Case {
  const run = async () => {
    await load(ours, { file, seconds: 5, clients: 10, outstanding: 100, once: true })
    const before = ours.residentBytes()
    for (let asked = 0; asked < queries; ) {
      const { answers } = await load(ours, { file, seconds: 30, clients: 10, outstanding: 100 })
      asked += answers
    }
    return { 'grown by': (ours.residentBytes() - before) / 2 ** 20, resident: ours.residentBytes() / 2 ** 20 }
  }
  return { n: names, units: { resident: 'MiB', 'grown by': 'MiB' }, variants: { ours: run } }
}
