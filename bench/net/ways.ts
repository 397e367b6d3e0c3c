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

/** One contender: a method of making and removing a network. */
interface Contender {
  /** Returns the time taken in milliseconds. */
  create(): Promise<number>
  /** Returns the time taken in milliseconds. */
  delete(): Promise<number>
  /** The namespace of its network. */
  namespace(): NetNamespace
}

/** Prepares what does not count as making a network: programs run, scripts are written, the plan is made. */
type Start = (wiring: Wiring, scope: Scope) => Promise<Contender>

export const contenders = { ours, shell, 'ip-batch': ipBatch, floor } satisfies Record<string, Start>

/** After so many calls the engine has compiled the hot code. */
const warmUpCalls = 8

/** The calls of a cluster's start and stop, with its namespace; in a process of its own (ours.js). */
async function ours(wiring: Wiring, scope: Scope): Promise<Contender> {
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
    if (typeof answer?.ms !== 'number') throw new Error(answer?.failure ?? 'ours.js ended')
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
      // Kept until the end: the kernel removes a namespace in the background, which would slow down the other
      // contenders.
      namespace = scope.add(NetNamespace.open(path!))
      return ms
    },
    delete: async () => (await ask({})).ms,
    namespace: () => namespace,
  }
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
