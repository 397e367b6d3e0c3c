import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { cores, type Running } from './servers.ts'

export interface Load {
  readonly file: string
  readonly seconds: number
  /** The number of sockets, and of queries that wait for an answer at a time, in total. */
  readonly clients: number
  readonly outstanding: number
  readonly tcp?: boolean
  /** Queries a second. Absent: as many as possible. */
  readonly rate?: number
  /** Go through the file once, instead of repeatedly. */
  readonly once?: boolean
  /** Record every answer's time: only for rates with room for that. */
  readonly times?: boolean
}

export interface Outcome {
  readonly answers: number
  readonly seconds: number
  readonly cpuSeconds: number
  readonly lost: number
  /** Answers other than NOERROR. */
  readonly bad: number
  /** In ms, sorted; only with `times`. */
  readonly latencies: readonly number[]
}

function argumentsOf(port: number, { file, seconds, clients, outstanding, ...others }: Load): string[] {
  const { tcp, rate, once, times } = others
  const where = ['-s', '127.0.0.1', '-p', `${port}`, '-d', file, '-m', tcp ? 'tcp' : 'udp']
  const size = ['-c', `${clients}`, '-q', `${outstanding}`, '-l', `${seconds}`, '-t', '2']
  return [
    ...where,
    ...size,
    ...(rate ? ['-Q', `${rate}`] : []),
    ...(once ? ['-n', '1'] : []),
    ...(times ? ['-v'] : []),
  ]
}

/** Runs dnsperf on the other core. */
export async function load(server: Running, options: Load): Promise<Outcome> {
  const before = server.cpuSeconds()
  const child = spawn('taskset', ['-c', cores.load, 'dnsperf', ...argumentsOf(server.port, options)], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  let text = ''
  const latencies: number[] = []
  for await (const line of createInterface({ input: child.stdout })) {
    // "> NOERROR h1.bench.xcluster A 0.000123"
    if (line.startsWith('> ')) latencies.push(Number(line.slice(line.lastIndexOf(' '))) * 1000)
    else text += `${line}\n`
  }
  const cpuSeconds = server.cpuSeconds() - before
  const number = (pattern: RegExp) => Number(pattern.exec(text)?.[1] ?? Number.NaN)
  const answers = number(/Queries completed:\s+(\d+)/)
  if (!(answers > 0)) throw new Error(`dnsperf had no answers:\n${text}`)
  return {
    answers,
    seconds: number(/Run time \(s\):\s+([\d.]+)/),
    cpuSeconds,
    lost: number(/Queries lost:\s+(\d+)/),
    bad: answers - (number(/NOERROR (\d+)/) || 0),
    latencies: latencies.sort((a, b) => a - b),
  }
}

export function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!
}
