import { type Clock, codeOf, Scope, systemClock, withTimes } from '../../base/index.ts'
import { QmpClient } from '../../qmp/index.ts'
import { GuestConsole } from '../console/console.ts'
import { ConsoleLog } from '../console/console-log.ts'
import { startAborted } from '../errors.ts'
import { type Origin, type Spawned, spawnQemu } from '../qemu/spawn.ts'
import { Freezer } from '../snapshot/freezer.ts'
import { cloneFailed, mustFit, wake } from '../snapshot/restore.ts'
import type { Machine, StartOptions, Template, VmSpec } from '../types.ts'
import { spawnFork } from '../zygote/spawn-fork.ts'
import { Zygote } from '../zygote/zygote.ts'
import { GuestAgent } from './guest-agent.ts'
import { VmMachine } from './machine.ts'
import { Progress } from './progress.ts'

/** What `startVm` works with. */
export interface StartParts extends StartOptions {
  /** Starts QEMU's process; absent: a real one. */
  readonly spawn?: typeof spawnQemu
}

/**
 * Starts a VM. Resolves when QEMU's monitor answers and the guest executes; the guest continues to boot, and
 * `machine.ready` resolves when its agent has answered. After a failure or an abort it throws, and nothing is
 * left behind. A clone that cannot be made is CLONE_FAILED: the same spec without `template` boots.
 */
export async function startVm(spec: VmSpec, options: StartParts = {}): Promise<Machine> {
  const { template } = withTimes('start VM', spec)
  if (!template) return startMachine(spec, await bootOrigin(spec), options)
  mustFit(spec, template)
  if (spec.forkOf?.isUsable) {
    try {
      return await startMachine(spec, forkOrigin(spec.forkOf), options)
    } catch (failure) {
      if (!isForkFailure(failure)) throw failure
      spec.forkOf.spoil()
    }
  }
  try {
    return await startMachine(spec, await cloneOrigin(spec, template), options)
  } catch (failure) {
    throw cloneFailed(spec.name, failure)
  }
}

/** An {@link Origin}, and what QEMU is sent before the guest executes. */
interface Beginning extends Origin {
  readonly zygote?: Zygote
  readonly wake?: (qmp: QmpClient) => Promise<void>
  readonly freezer?: Freezer
}

async function bootOrigin(spec: VmSpec): Promise<Beginning> {
  if (!spec.freezable) return { role: 'boot' }
  const freezer = await Freezer.open(spec)
  return { role: freezer.role, ram: freezer.ram, saved: freezer.saved, freezer }
}

function forkOrigin(zygote: Zygote): Beginning {
  return { role: 'clone', zygote }
}

/** What a clone need not meet too. */
function isForkFailure(failure: unknown): boolean {
  return ['FORK_FAILED', 'QEMU_DIED'].includes(codeOf(failure) ?? '')
}

async function cloneOrigin(spec: VmSpec, template: Template): Promise<Beginning> {
  const { ram, state, layer: kept } = template
  if (!spec.freezable) return { role: 'clone', ram, state, kept, wake: qmp => wake(qmp, template) }
  const freezer = await Freezer.open(spec)
  const { role, ram: own, saved } = freezer
  return { ...{ role, ram: own, state, saved, freezer }, wake: qmp => wake(qmp, template, 'derived') }
}

/** The same for any {@link Role}. `wake` sends QEMU what it needs before the guest executes. */
export async function startMachine(
  spec: VmSpec,
  origin: Beginning,
  { signal, clock = systemClock, spawn = spawnQemu }: StartParts = {},
): Promise<Machine> {
  const began = clock.now()
  const { freezer } = origin
  await using unlessStarted = new Scope()
  if (freezer) unlessStarted.defer(() => freezer.close())
  if (signal?.aborted) throw startAborted(spec.name, signal.reason)
  const log = new ConsoleLog(spec.consoleLog, spec.name)
  const { zygote } = origin
  const spawned = await (zygote ? spawnFork(spec, zygote) : spawn(spec, origin)).catch(failure => {
    log.close()
    throw failure
  })
  const isClone = origin.state !== undefined || zygote !== undefined
  const machine = assemble(spec, spawned, {
    ...{ log, clock, began, isClone },
    ...(zygote && { zygote }),
    ...(freezer && { freezer }),
  })
  unlessStarted.move()
  if (signal) abortWith(machine, signal)
  await machine.opened(origin.wake)
  return machine
}

interface Assembly {
  readonly log: ConsoleLog
  readonly clock: Clock
  readonly began: number
  readonly isClone: boolean
  /** What it was forked from. */
  readonly zygote?: Zygote
  readonly freezer?: Freezer
}

function assemble(
  spec: VmSpec,
  { launched, monitor, console, agent, stream, control }: Spawned,
  { log, clock, began, isClone, zygote, freezer }: Assembly,
): VmMachine {
  const { name } = spec
  const readyTimeoutMs = spec.readyTimeoutMs ?? usualTimeoutMs(spec)
  const greeting = zygote?.greeting
  const qmp = new QmpClient(monitor, { peer: name, clock, ...(greeting && { greeting }) })
  return new VmMachine({
    name,
    nicCount: spec.nics.length,
    readyTimeoutMs,
    isClone,
    readyRunning: spec.readyWith === 'running' || (isClone && spec.readyWith === 'wake'),
    clock,
    launched,
    isFork: zygote !== undefined,
    qmp,
    console: new GuestConsole(console, log),
    agent: new GuestAgent(name, agent, clock),
    stream,
    progress: new Progress(name, clock, began),
    ...(freezer && { freezer }),
    ...(control && { zygote: new Zygote(control, { name, greeting: () => qmp.greeting }) }),
  })
}

/**
 * An emulated guest needs the longer the more processors it has: 4 s with 8, 20 s with 16 and 48 s with 32 were seen on
 * a host with two that had other work too.
 */
function usualTimeoutMs({ accel, vcpus }: VmSpec): number {
  return 120_000 + (accel === 'tcg' ? 6_000 * vcpus : 0)
}

function abortWith(machine: VmMachine, signal: AbortSignal): void {
  const abort = () => machine.fail(startAborted(machine.name, signal.reason))
  const leave = () => signal.removeEventListener('abort', abort)
  if (signal.aborted) abort()
  else signal.addEventListener('abort', abort)
  machine.ready.then(leave, leave)
}
