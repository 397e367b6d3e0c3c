import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { Writable } from 'node:stream'
import { finished } from 'node:stream/promises'
import { places, type Scope, systemClock } from '../src/base/index.ts'
import type { Cluster } from '../src/cluster/index.ts'
import type { CopyGuest } from '../src/files/index.ts'
import { resolveSettings } from '../src/plan/index.ts'
import type { Machine } from '../src/vm/index.ts'
import { type Benchmark, type Case, median, type Result } from './benchmark.ts'
import { built } from './built.ts'

const mebibyte = 1 << 20
/** A sample is the median of so many: one that waits for another process is not the rule. */
const commands = 41
const file = Buffer.alloc(64 * mebibyte, 'some text that does not matter\n')
const piece = file.subarray(0, 512 << 10)
/** Bytes through the agent: what it takes for 64 MiB is longer than a round can be. */
const little = 2 * mebibyte

/** Commands and files over the guest channel, beside what there was and what there is. */
const files: Benchmark = {
  rounds: { usual: 5, quick: 1 },
  needs: ['ssh', 'nsenter'],
  async prepare(scope) {
    const guest = await oneGuest(scope)
    const cluster = await oneNode(scope)
    const results: Result[] = []
    const fetched = async () => {
      if (results.length === 0) results.push(...(await fetchMuch(cluster)))
      return {}
    }
    const cases: Case[] = [
      {
        n: 1,
        units: { 'exec true': 'ms' },
        variants: { channel: () => execs(guest.channelExec), 'qemu-ga': () => execs(guest.agentExec) },
        ratios: [['channel', 'qemu-ga']],
      },
      {
        n: 1,
        units: { 'each MiB': 'ms' },
        variants: { put: () => putEach(guest.copy), 'qemu-ga in pieces': () => agentEach(guest.machine) },
        ratios: [['qemu-ga in pieces', 'put']],
      },
      {
        n: 1,
        units: { '64 MiB': 'ms' },
        variants: { put: () => put(cluster), 'ssh cat': () => overSsh(cluster) },
        ratios: [['put', 'ssh cat']],
      },
      { n: 1, units: {}, variants: { fetched } },
    ]
    return { cases, accel: 'tcg', results: () => results }
  },
}
export default files

interface OneGuest {
  readonly machine: Machine
  readonly copy: CopyGuest
  channelExec(): Promise<unknown>
  agentExec(): Promise<unknown>
}

/** One VM that has booted, with both ways to run commands in it. */
async function oneGuest(scope: Scope): Promise<OneGuest> {
  const [{ buildImage }, { findQemu, startVm }] = [await built('image'), await built('vm')]
  const [{ GuestChannel }, { runCommand, spawnCommand }] = [await built('guest'), await built('stream')]
  const cacheDir = places({ HOME: homedir(), ...process.env }, process.getuid!()).cache
  const { vmlinux, initramfs } = await buildImage({ cacheDir, guestDir: resolve('guest') })
  const qemu = (await findQemu({ searchPath: process.env.PATH! })).path
  const size = { memoryMiB: 256, vcpus: 1, accel: 'tcg', nics: [] } as const
  const directory = mkdtempSync(join(tmpdir(), 'xcluster-bench-'))
  scope.defer(() => rmSync(directory, { recursive: true }))
  const machine = await startVm({
    ...{ name: 'vm-001', qemu, kernel: vmlinux, initramfs, ...size },
    consoleLog: join(directory, 'console.log'),
  })
  scope.defer(() => machine.kill())
  await machine.ready
  const channel = new GuestChannel(machine.stream, {
    ...{ name: 'vm-001', clock: systemClock, wallClock: Date.now },
    randomBytes: count => crypto.getRandomValues(new Uint8Array(count)),
  })
  await channel.apply([], 30_000)
  const { streams } = channel
  return {
    machine,
    copy: { name: 'vm-001', spawn: words => spawnCommand(streams, { words }, { clock: systemClock }) },
    channelExec: () => runCommand(streams, ['/bin/true'], { clock: systemClock }),
    agentExec: () => machine.exec(['/bin/true']),
  }
}

async function oneNode(scope: Scope): Promise<Cluster> {
  const { startCluster } = await built('cluster')
  const options = { name: 'bench-files', nvm: 1, nrouters: 0, mem: 256 }
  const cluster = await startCluster(resolveSettings({ options }))
  scope.defer(() => cluster.stop())
  return cluster
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now()
  await work()
  return performance.now() - began
}

async function execs(exec: () => Promise<unknown>) {
  const each: number[] = []
  for (let count = 0; count < commands; count++) each.push(await timed(exec))
  return { 'exec true': median(each) }
}

async function putEach(guest: CopyGuest) {
  const { putFiles } = await built('files')
  const ms = await timed(() => putFiles(guest, [file], { path: '/tmp/put' }))
  await (await guest.spawn(['rm', '/tmp/put'])).exit
  return { 'each MiB': ms / (file.length / mebibyte) }
}

async function agentEach(machine: Machine) {
  const ms = await timed(async () => {
    for (let sent = 0; sent < little; sent += piece.length)
      await machine.exec(['/bin/sh', '-c', 'cat >>/tmp/pieces'], { input: piece })
  })
  await machine.exec(['rm', '/tmp/pieces'])
  return { 'each MiB': ms / (little / mebibyte) }
}

async function put(cluster: Cluster) {
  const ms = await timed(() => cluster.put(1, file, '/tmp/f'))
  await cluster.exec(1, ['rm', '/tmp/f'])
  return { '64 MiB': ms }
}

const ssh = [
  ...['ssh', '-o', 'StrictHostKeyChecking=no', '-o', 'UserKnownHostsFile=/dev/null', '-o', 'LogLevel=ERROR'],
  ...['root@192.168.0.1', 'cat >/tmp/f'],
]

async function overSsh(cluster: Cluster) {
  const ms = await timed(async () => {
    const words = [`--net=${cluster.status().netns}`, ...ssh]
    const child = spawn('nsenter', words, { stdio: ['pipe', 'inherit', 'inherit'] })
    child.stdin.end(file)
    const [status] = await once(child, 'exit')
    if (status !== 0) throw new Error(`ssh ended with status ${status}`)
  })
  await cluster.exec(1, ['rm', '/tmp/f'])
  return { '64 MiB': ms }
}

/** 1 GiB of a file without content, once. Memory above what there was before, of this process and in the guest. */
async function fetchMuch(cluster: Cluster): Promise<Result[]> {
  await cluster.exec(1, ['truncate', '-s', '1G', '/tmp/much'])
  const free = async () =>
    Number(/MemAvailable:\s+(\d+)/.exec(String((await cluster.exec(1, 'cat /proc/meminfo')).stdout))![1]) /
    1024
  const [before, beforeThere] = [process.memoryUsage.rss(), await free()]
  let [most, least] = [0, Number.POSITIVE_INFINITY]
  let next = 0
  let bytes = 0
  const target = new Writable({
    write(part: Buffer, _, done) {
      bytes += part.length
      most = Math.max(most, process.memoryUsage.rss())
      if (bytes < next) return done()
      next += 256 * mebibyte
      void free().then(now => {
        least = Math.min(least, now)
        done()
      }, done)
    },
  })
  const ms = await timed(() => cluster.get(1, '/tmp/much', target))
  await finished(target.end()) // the last measurement of memory too
  if (bytes !== 1 << 30) throw new Error(`${bytes} bytes came`)
  await cluster.exec(1, ['rm', '/tmp/much'])
  return [
    oneResult('1 GiB', 'ms', ms),
    oneResult('memory grown here', 'MiB', (most - before) / mebibyte),
    oneResult('memory grown in the guest', 'MiB', beforeThere - least),
  ]
}

function oneResult(name: string, unit: string, value: number): Result {
  return { name, variant: 'get', n: 1, unit, median: value, min: value, max: value, samples: [value] }
}
