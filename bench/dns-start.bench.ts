import { type ChildProcess, spawn } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { inProject } from '../scripts/setup/project.js'
import type { Scope } from '../src/base/index.ts'
import { type Benchmark, type Case, median } from './benchmark.ts'
import { dnsmasqCommand, freePort, serverResources, startNsd } from './dns/servers.ts'
import { nameOf } from './dns/zone.ts'

const processes = 5
/** How often a query is sent until one is answered, in milliseconds. */
const every = 2
const longestMs = 20_000

/**
 * From the start of a forwarder's process to its first answer, which comes from the server behind it: `xc dns`
 * as it is packed, as the compiler left it, and dnsmasq.
 */
const dnsStart: Benchmark = {
  rounds: { usual: 15, quick: 3 },
  needs: ['dnsmasq', 'nsd', 'taskset'],
  async prepare(scope) {
    const host = serverResources(scope)
    const nsd = await startNsd(host)
    const ours =
      (...program: string[]) =>
      (port: number) => [
        ...[process.execPath, ...program, 'dns'],
        ...['--listen', `127.0.0.1:${port}`, '--upstream', `127.0.0.1:${nsd.port}`],
      ]
    const compiled = `import(${JSON.stringify(inProject('dist/cli/main.js'))}).then(({ main }) => main())`
    const variants = {
      ours: () => oneRound(scope, ours(inProject('bin/xc.js'))),
      // The word stands where the path of the program usually is.
      'ours, compiled': () => oneRound(scope, ours('-e', compiled, 'xc')),
      dnsmasq: () => oneRound(scope, port => dnsmasqCommand(port, nsd.port)),
    }
    const start: Case = {
      n: 1,
      units: { 'first answer': 'ms' },
      variants,
      ratios: [
        ['ours', 'ours, compiled'],
        ['ours', 'dnsmasq'],
      ],
    }
    return { cases: [start] }
  },
}
export default dnsStart

/** The median of a few processes in a row. */
async function oneRound(scope: Scope, commandFor: (port: number) => readonly string[]) {
  const times: number[] = []
  for (let i = 0; i < processes; i++) times.push(await untilAnswer(scope, commandFor))
  return { 'first answer': median(times) }
}

async function untilAnswer(scope: Scope, commandFor: (port: number) => readonly string[]): Promise<number> {
  const port = await freePort()
  const [program, ...args] = commandFor(port)
  const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` }
  const began = performance.now()
  const child = spawn(program!, args, { env, stdio: 'ignore' })
  const ended = once(child, 'exit')
  scope.defer(() => void child.kill('SIGKILL'))
  try {
    await answerFrom(child, port)
    return performance.now() - began
  } finally {
    child.kill('SIGTERM')
    await ended
  }
}

/** Sends the same query again and again. Rejects when the process ends first. */
function answerFrom(child: ChildProcess, port: number): Promise<void> {
  const socket = createSocket('udp4')
  const labels = nameOf(0)
    .split('.')
    .map(label => Buffer.from(`${String.fromCharCode(label.length)}${label}`))
  const head = Buffer.from([0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0])
  const query = Buffer.concat([head, ...labels, Buffer.from([0, 0, 1, 0, 1])])
  return new Promise<void>((answered, failed) => {
    const asking = setInterval(() => socket.send(query, port, '127.0.0.1'), every)
    const late = setTimeout(() => failed(new Error('no answer came')), longestMs)
    const over = () => {
      clearInterval(asking)
      clearTimeout(late)
    }
    child.once('exit', status => failed(new Error(`${child.spawnfile} ended with status ${status}`)))
    // Without an error and with an answer record.
    socket.on('message', bytes => {
      if ((bytes[3]! & 15) === 0 && bytes[7]! > 0) answered()
    })
    socket.on('close', over)
  }).finally(() => socket.close())
}
