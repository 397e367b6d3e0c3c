import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { Scope } from '../../src/base/index.ts'
import type { BridgePlan, Wiring } from '../../src/plan/index.ts'
import type { NetNamespace } from '../../src/sys/index.ts'
import { built } from '../built.ts'
import { compile } from '../compile.ts'
import { Program } from './program.ts'
import { fewSteps, removals, steps, wiringOf } from './wiring.ts'

/** One way to make a network, and to take it away. */
interface Way {
  /** Gives the milliseconds that it took. */
  create(): Promise<number>
  /** The same. */
  delete(): Promise<number>
  /** Where its network is, or was. */
  namespace(): NetNamespace
}

/** What is no part of making a network is done before: programs run, scripts are written, there is a plan. */
type Start = (wiring: Wiring, scope: Scope) => Promise<Way>

export const ways = { ours, shell, 'ip-batch': ipBatch, floor } satisfies Record<string, Start>

/** After so many the engine has compiled what is used most. */
const warmUpCalls = 8

/** What the start and the stop of a cluster call, its namespace included; in a process of its own (ours.js). */
async function ours(wiring: Wiring, scope: Scope): Promise<Way> {
  const [{ planBridges }, { NetNamespace }] = [await built('net'), await built('sys')]
  const process = fork(resolve(import.meta.dirname, 'ours.js'), { execArgv: [], serialization: 'advanced' })
  const ended = once(process, 'exit')
  scope.defer(async () => {
    if (process.connected) process.disconnect()
    await ended
  })
  const ask = async (order: { plan?: BridgePlan }): Promise<{ ms: number; path?: string }> => {
    process.send(order)
    const [answer] = await Promise.race([once(process, 'message'), ended])
    if (typeof answer?.ms !== 'number') throw new Error(answer?.failure ?? 'it ended')
    return answer
  }
  const plan = planBridges(wiring)
  for (let call = 0; call < warmUpCalls; call++) {
    await ask({ plan: planBridges(wiringOf(12)) })
    await ask({})
  }
  let namespace: NetNamespace
  return {
    async create() {
      const { ms, path } = await ask({ plan })
      // Kept until the end: the kernel takes a namespace away in the background, which others would be slowed by.
      namespace = scope.add(NetNamespace.open(path!))
      return ms
    },
    delete: async () => (await ask({})).ms,
    namespace: () => namespace,
  }
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
