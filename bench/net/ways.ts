import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { Scope } from '../../src/base/index.ts'
import type { Wiring } from '../../src/plan/index.ts'
import type { NetNamespace } from '../../src/sys/index.ts'
import { built } from '../built.ts'
import { compile } from '../compile.ts'
import { Ours } from './ours.ts'
import { packNet } from './packed.ts'
import { Program } from './program.ts'
import { fewSteps, removals, steps, wiringOf } from './wiring.ts'

/** One contender: a method of making and removing a network. */
interface Contender {
  /** Returns the time taken in milliseconds. */
  create(): Promise<number>
  /** Returns the time taken in milliseconds. */
  delete(): Promise<number>
  /** Milliseconds that a fresh process took to load the code of `create`, where each round has a process of its own. */
  readonly load?: number
  /** The namespace of its network. */
  namespace(): NetNamespace
}

/** Prepares what does not count as making a network: programs run, scripts are written, the plan is made. */
type Start = (wiring: Wiring, scope: Scope) => Promise<Contender>

export const contenders = {
  ours,
  'ours-first': oursFirst,
  shell,
  'ip-batch': ipBatch,
  floor,
} satisfies Record<string, Start>

/** After so many calls the engine has compiled the hot code. */
const warmUpCalls = 8

/** The calls of a cluster's start and stop, with its namespace; in a process of its own (ours.js). */
async function ours(wiring: Wiring, scope: Scope): Promise<Contender> {
  const { planBridges } = await built('net')
  const child = scope.add(new Ours())
  await child.loaded
  const plan = planBridges(wiring)
  for (let call = 0; call < warmUpCalls; call++) {
    await child.create(planBridges(wiringOf(12)))
    await child.delete()
  }
  let namespace: NetNamespace
  return {
    async create() {
      const { ms, path } = await child.create(plan)
      namespace = await kept(path, scope)
      return ms
    },
    delete: () => child.delete(),
    namespace: () => namespace,
  }
}

/** The same as the first call of a fresh process each round, packed and with a code cache as the owner of `xc start` is. */
async function oursFirst(wiring: Wiring, scope: Scope): Promise<Contender> {
  const { planBridges } = await built('net')
  const plan = planBridges(wiring)
  const packed = await packNet(scope)
  let child: Ours
  let namespace: NetNamespace
  let load = 0
  return {
    async create() {
      child = scope.add(new Ours(packed))
      load = await child.loaded
      const { ms, path } = await child.create(plan)
      namespace = await kept(path, scope)
      return ms
    },
    async delete() {
      const ms = await child.delete()
      await child.close()
      return ms
    },
    namespace: () => namespace,
    get load() {
      return load
    },
  }
}

/** Kept until the end: the kernel removes a namespace in the background, which would slow down the other contenders. */
async function kept(path: string, scope: Scope): Promise<NetNamespace> {
  const { NetNamespace } = await built('sys')
  return scope.add(NetNamespace.open(path))
}

/** One process a step, from a running shell. */
function shell(wiring: Wiring, scope: Scope): Promise<Contender> {
  const processes = (lines: readonly string[]) => lines.map(line => `ip ${line}`)
  const scripts = { create: processes(steps(wiring)), delete: processes(removals(wiring)) }
  return byShell(scripts, path => `. ${path}`, scope)
}

/** One process: `ip -batch`, which stops at a failure. */
function ipBatch(wiring: Wiring, scope: Scope): Promise<Contender> {
  const scripts = { create: fewSteps(wiring), delete: removals(wiring) }
  return byShell(scripts, path => `ip -batch ${path}`, scope)
}

type Scripts = Readonly<Record<'create' | 'delete', readonly string[]>>

async function byShell(
  scripts: Scripts,
  command: (path: string) => string,
  scope: Scope,
): Promise<Contender> {
  const directory = mkdtempSync(join(tmpdir(), 'xcluster-bench-'))
  scope.defer(() => rmSync(directory, { recursive: true }))
  const namespace = await emptyNamespace(scope)
  const shell = new Program(['sh', '-e'], namespace, scope)
  const run = (name: string) => timed(() => shell.ask(`${command(join(directory, name))}; echo done`))
  for (const [name, lines] of Object.entries(scripts))
    writeFileSync(join(directory, name), `${lines.join('\n')}\n`)
  return { create: () => run('create'), delete: () => run('delete'), namespace: () => namespace }
}

/** The same messages from C: the kernel's time for them. It measures the time itself. */
async function floor({ nodes }: Wiring, scope: Scope): Promise<Contender> {
  const namespace = await emptyNamespace(scope)
  const program = new Program([compile(resolve(import.meta.dirname, 'floor.c'), scope)], namespace, scope)
  const ask = async (line: string) => Number(await program.ask(line)) / 1e6
  const taps = nodes.reduce((sum, { nets }) => sum + nets.length, 0)
  return { create: () => ask(`create ${taps}`), delete: () => ask('delete'), namespace: () => namespace }
}

async function emptyNamespace(scope: Scope): Promise<NetNamespace> {
  const { NetNamespace } = await built('sys')
  return scope.add(NetNamespace.create())
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now()
  await work()
  return performance.now() - began
}
