import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { Scope } from '../../src/base/index.ts'
import type { Wiring } from '../../src/plan/index.ts'
import type { NetNamespace } from '../../src/sys/index.ts'
import { built } from '../built.ts'
import { compile } from '../compile.ts'
import { Ours } from './ours.ts'
import { Program } from './program.ts'
import { fewSteps, removals, steps, wiringOf } from './wiring.ts'

/** One way to make a network, and to take it away. */
interface Way {
  /** Gives the milliseconds that it took. */
  create(): Promise<number>
  /** The same. */
  delete(): Promise<number>
  /** What a fresh process took to load the code that `create` then calls, where each round has a process of its own. */
  readonly load?: number
  /** Where its network is, or was. */
  namespace(): NetNamespace
}

/** What is no part of making a network is done before: programs run, scripts are written, there is a plan. */
type Start = (wiring: Wiring, scope: Scope) => Promise<Way>

export const ways = { ours, 'ours-first': oursFirst, shell, 'ip-batch': ipBatch, floor } satisfies Record<
  string,
  Start
>

/** After so many the engine has compiled what is used most. */
const warmUpCalls = 8

/** What the start and the stop of a cluster call, its namespace included; in a process of its own (ours.js). */
async function ours(wiring: Wiring, scope: Scope): Promise<Way> {
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

/** The same in a fresh process each round: its first call, as in the process that a cluster of `xc start` is. */
async function oursFirst(wiring: Wiring, scope: Scope): Promise<Way> {
  const { planBridges } = await built('net')
  const plan = planBridges(wiring)
  let child: Ours
  let namespace: NetNamespace
  let load = 0
  return {
    async create() {
      child = scope.add(new Ours())
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

/** Until the end: the kernel takes a namespace away in the background, which others would be slowed by. */
async function kept(path: string, scope: Scope): Promise<NetNamespace> {
  const { NetNamespace } = await built('sys')
  return scope.add(NetNamespace.open(path))
}

/** A process a step, by a shell that runs already. */
function shell(wiring: Wiring, scope: Scope): Promise<Way> {
  const processes = (lines: readonly string[]) => lines.map(line => `ip ${line}`)
  const scripts = { create: processes(steps(wiring)), delete: processes(removals(wiring)) }
  return byShell(scripts, path => `. ${path}`, scope)
}

/** One process: `ip -batch`, which stops where something fails. */
function ipBatch(wiring: Wiring, scope: Scope): Promise<Way> {
  const scripts = { create: fewSteps(wiring), delete: removals(wiring) }
  return byShell(scripts, path => `ip -batch ${path}`, scope)
}

type Scripts = Readonly<Record<'create' | 'delete', readonly string[]>>

async function byShell(scripts: Scripts, command: (path: string) => string, scope: Scope): Promise<Way> {
  const directory = mkdtempSync(join(tmpdir(), 'xcluster-bench-'))
  scope.defer(() => rmSync(directory, { recursive: true }))
  const namespace = await emptyNamespace(scope)
  const shell = new Program(['sh', '-e'], namespace, scope)
  const run = (name: string) => timed(() => shell.ask(`${command(join(directory, name))}; echo done`))
  for (const [name, lines] of Object.entries(scripts))
    writeFileSync(join(directory, name), `${lines.join('\n')}\n`)
  return { create: () => run('create'), delete: () => run('delete'), namespace: () => namespace }
}

/** The same messages as ours, from C: what the kernel takes for them. It looks at the clock itself. */
async function floor({ nodes }: Wiring, scope: Scope): Promise<Way> {
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
