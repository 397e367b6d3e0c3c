import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { randomBytes, randomInt } from 'node:crypto'
import { once } from 'node:events'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { readFile, rm } from 'node:fs/promises'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { fetchPackages } from '../../scripts/setup/packages.js'
import { messageOf, places } from '../../src/base/index.ts'
import { NetNamespace } from '../../src/sys/index.ts'
import { inNamespace } from './namespace.ts'
import { isAlive } from './processes.ts'
import { isRoot } from './rights.ts'
import { waitFor } from './wait.ts'

const run = promisify(execFile)

/** Slurm 22.05 of Debian 12 in the cache. Nothing of it is installed, and none of its services runs. */
const cache = join(places(process.env, process.getuid!()).cache, 'slurm')
const root = join(cache, 'packages/root')
const packages = ['slurmctld', 'slurmd', 'slurm-client', 'munge']

/** Fetches Slurm unless it is there. Returns why the tests cannot have it, or undefined. */
export async function whyNoSlurm(): Promise<string | undefined> {
  if (!isRoot) return 'it takes root'
  try {
    await fetchPackages(packages, { cacheDir: cache })
    const { stdout } = await run(join(root, 'usr/sbin/slurmctld-wlm'), ['-V'], { env: libraries })
    return stdout.startsWith('slurm-wlm 22.05.') ? undefined : `this machine's packages have ${stdout.trim()}`
  } catch (failure) {
    return `the packages of Slurm cannot be fetched: ${messageOf(failure).split('\n')[0]}`
  }
}

const libraryFolders = ['x86_64-linux-gnu', 'aarch64-linux-gnu']
  .map(name => join(root, 'usr/lib', name))
  .flatMap(path => [path, join(path, 'slurm-wlm')])
const libraries = { LD_LIBRARY_PATH: libraryFolders.join(':') }

export interface SlurmOptions {
  /** How many machines have a slurmd (default 3). */
  readonly hosts?: number
  /** Lines of slurm.conf in place of those of the same name; undefined leaves one out. */
  readonly settings?: Readonly<Record<string, string | undefined>>
}

/** A process of a job: a slurmstepd, or what it has started. */
export interface JobProcess {
  readonly pid: number
  /** Its command line. */
  readonly command: string
}

/** A real Slurm: `slurmctld`, and a `slurmd` for each of `n1`, `n2`, … in a network namespace of its own. */
export class Slurm implements AsyncDisposable {
  /** Each job's working directory, as a shared folder of a real site. */
  readonly folder: string
  /** Where slurmctld runs, and where users submit: a bridge joins it to the hosts. */
  readonly namespace = NetNamespace.create()
  readonly hosts: readonly NetNamespace[]
  readonly #place: string
  readonly #daemons: ChildProcess[] = []
  /** A limit that the kernel ignores, and that all processes of the jobs inherit (getrlimit(2): RLIMIT_LOCKS). */
  readonly #mark = String(randomInt(10 ** 9, 10 ** 12))

  private constructor(count: number) {
    this.#place = mkdtempSync(join(tmpdir(), 'slurm-'))
    this.folder = join(this.#place, 'shared')
    this.hosts = Array.from({ length: count }, () => NetNamespace.create())
  }

  static async start({ hosts = 3, settings = {} }: SlurmOptions = {}): Promise<Slurm> {
    const slurm = new Slurm(hosts)
    try {
      await slurm.#join()
      slurm.#write(settings)
      await slurm.#begin()
      return slurm
    } catch (failure) {
      await slurm.close()
      throw failure
    }
  }

  /** The environment of a user: the programs with which jobs are submitted and seen work in any namespace. */
  get env(): NodeJS.ProcessEnv {
    const path = ['users', 'bin'].map(name => join(this.#place, name))
    return {
      ...process.env,
      ...libraries,
      PATH: [...path, process.env.PATH].join(':'),
      SLURM_CONF: this.#conf,
    }
  }

  /** The directory of a host's clusters, as a command on it would find it. */
  runtimeOf(host: number): string {
    return join(this.#place, `run/n${host + 1}`)
  }

  get #conf(): string {
    return join(this.#place, 'slurm.conf')
  }

  /** Runs a command line of a user in the shared folder. Rejects when its status is not 0. */
  async run(command: readonly string[]): Promise<string> {
    const words = [`--net=${this.namespace.path}`, ...command]
    const { stdout } = await run('nsenter', words, { env: this.env, cwd: this.folder })
    return stdout
  }

  /** The processes of jobs: the slurmstepds and all that they have started, also what left their sessions. */
  processes(): JobProcess[] {
    const own = this.#daemons.map(({ pid }) => pid)
    const all = readdirSync('/proc')
      .filter(name => /^\d+$/.test(name))
      .map(Number)
    return all.flatMap(pid => (own.includes(pid) ? [] : (marked(pid, this.#mark) ?? [])))
  }

  async #join(): Promise<void> {
    const here = this.namespace
    await ip(here, 'link set lo up')
    await ip(here, `link add hosts type bridge`)
    await ip(here, `addr add ${controller}/24 dev hosts`)
    await ip(here, 'link set hosts up')
    for (const [index, host] of this.hosts.entries()) {
      await ip(here, `link add h${index + 1} type veth peer name eth0 netns ${host.path}`)
      await ip(here, `link set h${index + 1} master hosts up`)
      await ip(host, 'link set lo up')
      await ip(host, `addr add ${address(index)}/24 dev eth0`)
      await ip(host, 'link set eth0 up')
    }
  }

  #write(settings: NonNullable<SlurmOptions['settings']>): void {
    for (const name of ['shared', 'bin', 'users', 'state', 'spool'])
      mkdirSync(join(this.#place, name), { mode: 0o755 })
    const found = ['usr/bin', 'usr/sbin'].flatMap(folder =>
      readdirSync(join(root, folder)).map(name => [name.replace(/-wlm$/, ''), join(root, folder, name)]),
    )
    for (const [name, path] of found) symlinkSync(path!, join(this.#place, 'bin', name!))
    for (const name of ['sbatch', 'scancel', 'scontrol', 'sinfo', 'squeue']) {
      const line = `exec nsenter --net=${this.namespace.path} ${join(this.#place, 'bin', name)} "$@"`
      writeFileSync(join(this.#place, 'users', name), `#!/bin/sh\n${line}\n`, { mode: 0o755 })
    }
    writeFileSync(join(this.#place, 'munge.key'), randomBytes(128), { mode: 0o600 })
    const names = this.hosts.map((_, i) => `${address(i)} n${i + 1}\n`)
    writeFileSync(join(this.#place, 'hosts'), ['127.0.0.1 localhost\n', ...names].join(''))
    const lines = { ...this.#settings(), ...settings }
    const text = Object.entries(lines).map(([name, value]) =>
      value === undefined ? '' : `${name}=${value}\n`,
    )
    const nodes = this.hosts.map(
      (_, i) => `NodeName=n${i + 1} NodeAddr=${address(i)} CPUs=4 RealMemory=4096\n`,
    )
    const partition = 'PartitionName=lab Nodes=ALL Default=YES MaxTime=INFINITE State=UP\n'
    writeFileSync(this.#conf, [...text, ...nodes, partition].join(''))
  }

  #settings(): Record<string, string> {
    const place = this.#place
    return {
      ClusterName: 'test',
      SlurmctldHost: `${hostname()}(${controller})`,
      SlurmUser: 'root',
      AuthType: 'auth/munge',
      AuthInfo: `socket=${place}/munge.socket`,
      CredType: 'cred/munge',
      PluginDir: libraryFolders.filter(existsSync).join(':'),
      MpiDefault: 'none',
      MpiParams: 'ports=23000-23099',
      // A control group of the machine would outlive the test, and a container may not have one.
      ProctrackType: 'proctrack/linuxproc',
      TaskPlugin: 'task/none',
      SelectType: 'select/cons_tres',
      SelectTypeParameters: 'CR_CPU_Memory',
      SlurmdParameters: 'config_overrides',
      ReturnToService: '2',
      SchedulerParameters: 'batch_sched_delay=0',
      KillWait: '2',
      StateSaveLocation: `${place}/state`,
      SlurmdSpoolDir: `${place}/spool/%n`,
      SlurmctldPidFile: `${place}/slurmctld.pid`,
      SlurmdPidFile: `${place}/%n.pid`,
      SlurmctldLogFile: `${place}/slurmctld.log`,
      SlurmdLogFile: `${place}/%n.log`,
    }
  }

  async #begin(): Promise<void> {
    const place = this.#place
    const files = ['key', 'socket', 'pid', 'seed', 'log']
    const options = ['key-file', 'socket', 'pid-file', 'seed-file', 'log-file']
    const munge = options.map((option, i) => `--${option}=${place}/munge.${files[i]}`)
    this.#daemon(this.namespace, ['munged', '--foreground', '--force', ...munge])
    await this.#ready('munged', () => existsSync(`${place}/munge.socket`))
    this.#daemon(this.namespace, ['slurmctld', '-D', '-i'])
    for (const [i, host] of this.hosts.entries()) {
      mkdirSync(this.runtimeOf(i), { recursive: true })
      const machine = [
        'unshare',
        '-mu',
        'sh',
        '-c',
        asMachine,
        `n${i + 1}`,
        `${place}/hosts`,
        this.runtimeOf(i),
      ]
      const slurmd = ['slurmd', '-D', '-N', `n${i + 1}`, '-d', `${place}/bin/slurmstepd`]
      this.#daemon(host, [...machine, 'prlimit', `--locks=${this.#mark}`, ...slurmd])
    }
    await this.#ready('slurmctld', async () => {
      const idle = await this.run(['sinfo', '-h', '-t', 'idle', '-o', '%D']).catch(() => '')
      return Number(idle) === this.hosts.length
    })
  }

  /** A daemon in the foreground. It ends with this process, whatever ends this. */
  #daemon(namespace: NetNamespace, command: readonly string[]): void {
    const words = [`--net=${namespace.path}`, 'setpriv', '--pdeathsig=KILL', ...command]
    const child = spawn('nsenter', words, {
      env: this.env,
      cwd: this.#place,
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    let said = ''
    child.stderr!.on('data', text => {
      said = `${said}${text}`.slice(-2000)
    })
    child.once('exit', status => {
      if (status !== 0 && status !== null)
        console.error(`${command.at(-1)} ended with status ${status}: ${said}`)
    })
    this.#daemons.push(child)
  }

  async #ready(name: string, poll: () => boolean | Promise<boolean>): Promise<void> {
    const all = () => this.#daemons.every(({ exitCode }) => exitCode === null)
    if (await waitFor(async () => !all() || (await poll()), 20_000)) if (all()) return
    const log = await readFile(join(this.#place, `${name}.log`), 'utf8').catch(() => '')
    throw new Error(`Slurm has not started: ${log.slice(-3000)}`)
  }

  /** Kills what is left of jobs, and ends the daemons, the last one first. */
  async close(): Promise<void> {
    for (const { pid } of this.processes()) kill(pid, 'SIGKILL')
    for (const daemon of this.#daemons.splice(0).reverse()) {
      const ended = daemon.exitCode === null && daemon.signalCode === null ? once(daemon, 'exit') : undefined
      kill(daemon.pid!, 'SIGTERM')
      if (!(await waitFor(() => !isAlive(daemon.pid!), 3000))) kill(daemon.pid!, 'SIGKILL')
      await ended
    }
    for (const namespace of [this.namespace, ...this.hosts]) await namespace.close()
    await rm(this.#place, { recursive: true, force: true })
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

const controller = '10.99.0.254'
/** A machine has its name, the names of all, and a /run of its own. */
const asMachine =
  'hostname "$0" && mount --bind "$1" /etc/hosts && mount --bind "$2" /run && shift 2 && exec "$@"'
const address = (index: number) => `10.99.0.${index + 1}`

async function ip(namespace: NetNamespace, words: string): Promise<void> {
  await inNamespace(namespace, ['ip', ...words.split(' ')])
}

function marked(pid: number, mark: string): JobProcess | undefined {
  try {
    const limit = readFileSync(`/proc/${pid}/limits`, 'latin1').match(/^Max file locks\s+(\S+)/m)?.[1]
    if (limit !== mark || !isAlive(pid)) return undefined
    return { pid, command: readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim() }
  } catch {
    return undefined // it has ended in the meantime
  }
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch {
    // It has ended.
  }
}
