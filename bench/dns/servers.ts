import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { type Scope, systemClock } from '../../src/base/index.ts'
import { type Asking, addressesOf } from './answers.ts'
import { nameOf, names, writeZone, zone } from './zone.ts'

/** A server that runs on a core of its own. */
export interface Running {
  readonly port: number
  /** Processor time so far in seconds, with that of children that have ended. */
  cpuSeconds(): number
  /** Resident memory in bytes. */
  residentBytes(): number
  /** Makes it read its files again. */
  reload(): void
}

export const cores = { server: '0', load: '1' } as const

/** The servers that are compared, and the tools that measure them. */
export const programs = ['dnsperf', 'nsd', 'unbound', 'dnsmasq', 'taskset'] as const

export interface ServerResources {
  readonly scope: Scope
  /** For their files. It goes with the scope. */
  readonly directory: string
}

export function serverResources(scope: Scope): ServerResources {
  const directory = mkdtempSync(join(tmpdir(), 'xcluster-bench-'))
  scope.defer(() => rmSync(directory, { recursive: true }))
  return { scope, directory }
}

async function answers(asking: Asking): Promise<boolean> {
  return (await addressesOf(asking)) !== undefined
}

/**
 * The authoritative server behind all others. It shares a core with the load, which does not wait for it when
 * everything is cached.
 */
export async function startNsd(host: ServerResources): Promise<Running> {
  const port = await freePort()
  const file = join(host.directory, 'nsd.conf')
  const server = [
    `ip-address: 127.0.0.1@${port}`,
    'server-count: 1',
    'username: ""',
    `zonesdir: "${host.directory}"`,
    'pidfile: ""',
    'database: ""',
    `xfrdfile: "${host.directory}/xfrd"`,
    `zonelistfile: "${host.directory}/zones"`,
    'hide-version: yes',
    'rrl-ratelimit: 0',
    'minimal-responses: yes',
  ]
  writeFileSync(
    file,
    `server:\n${server.map(line => `  ${line}\n`).join('')}remote-control:\n  control-enable: no\nzone:\n  name: "${zone}"\n  zonefile: "${writeZone(host.directory)}"\n`,
  )
  return start(host, { core: cores.load, command: ['nsd', '-d', '-c', file], port })
}

export async function startOurs(
  host: ServerResources,
  upstream: number,
  more: readonly string[] = [],
): Promise<Running> {
  const port = await freePort()
  const options = ['--listen', `127.0.0.1:${port}`, '--upstream', `127.0.0.1:${upstream}`, ...more]
  return start(host, {
    core: cores.server,
    command: [process.execPath, resolve('bin/xc.js'), 'dns', ...options],
    port,
  })
}

export async function startDnsmasq(
  host: ServerResources,
  upstream: number,
  more: readonly string[] = [],
): Promise<Running> {
  const port = await freePort()
  return start(host, { core: cores.server, command: [...dnsmasqCommand(port, upstream), ...more], port })
}

export function dnsmasqCommand(port: number, upstream: number): string[] {
  return [
    'dnsmasq',
    '-k',
    '--conf-file=/dev/null',
    `--port=${port}`,
    '--listen-address=127.0.0.1',
    '--bind-interfaces',
    '--no-resolv',
    '--no-hosts',
    `--server=127.0.0.1#${upstream}`,
    `--cache-size=${names}`,
    '--dns-forward-max=10000',
    '--user=',
    '--pid-file=',
  ]
}

export async function startUnbound(host: ServerResources, upstream: number): Promise<Running> {
  const port = await freePort()
  const file = join(host.directory, 'unbound.conf')
  const server = [
    `interface: 127.0.0.1@${port}`,
    'do-daemonize: no',
    'directory: ""',
    'num-threads: 1',
    'username: ""',
    'chroot: ""',
    'pidfile: ""',
    'use-syslog: no',
    `logfile: "${host.directory}/unbound.log"`,
    'module-config: "iterator"',
    'do-not-query-localhost: no',
    'access-control: 127.0.0.0/8 allow',
    'msg-cache-size: 64m',
    'rrset-cache-size: 128m',
    'outgoing-range: 4096',
    'num-queries-per-thread: 2048',
    'incoming-num-tcp: 1000',
    'hide-version: yes',
  ]
  writeFileSync(
    file,
    `server:\n${server.map(line => `  ${line}\n`).join('')}remote-control:\n  control-enable: no\nforward-zone:\n  name: "."\n  forward-addr: 127.0.0.1@${upstream}\n`,
  )
  return start(host, { core: cores.server, command: ['unbound', '-d', '-c', file], port })
}

async function start(
  { scope }: ServerResources,
  { core, command, port }: { core: string; command: readonly string[]; port: number },
): Promise<Running> {
  const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` }
  const child = spawn('taskset', ['-c', core, ...command], { env, stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  child.stderr.on('data', bytes => {
    said = `${said}${bytes}`.slice(-2000)
  })
  const ended = new Promise<void>(resolve => child.once('exit', () => resolve()))
  scope.defer(async () => {
    child.kill('SIGTERM')
    await ended
  })
  for (
    const deadline = systemClock.now() + 15_000;
    !(await answers({ port, name: nameOf(0), timeoutMs: 200 }));
  ) {
    if (child.exitCode !== null || systemClock.now() > deadline)
      throw new Error(`${command[0]} does not answer: ${said}`)
    await pause(50)
  }
  return running(child, port)
}

/** nsd answers from a child process, as does dnsmasq over TCP: all child processes count. */
function running(child: ChildProcess, port: number): Running {
  const pid = child.pid!
  return {
    port,
    cpuSeconds() {
      // After the name in parentheses, utime, stime, cutime and cstime are the 12th to 15th (proc(5)).
      const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
        .replace(/^.*\) /s, '')
        .split(' ')
      return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) / 100
    },
    reload: () => void child.kill('SIGHUP'),
    residentBytes: () =>
      Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) * 1024,
  }
}

/** Free for TCP now, and probably for UDP too. */
export function freePort(): Promise<number> {
  return new Promise(resolve => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
    })
  })
}
