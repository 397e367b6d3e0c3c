import { ftruncateSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Clock, type Nic, Scope } from '../../base/index.ts'
import { Memfd, NetNamespace, openTaps } from '../../sys/index.ts'
import { startAborted } from '../errors.ts'
import { startMachine } from '../machine/start.ts'
import { freeze } from '../snapshot/device-state.ts'
import { mebibyte } from '../snapshot/manifest.ts'
import type { Machine } from '../types.ts'
import { templateVm } from './facts.ts'
import { ticksOf, untilIdle } from './idle.ts'
import { settleScript } from './quiesce.ts'
import type { TemplateSpec, TemplateStep } from './types.ts'

export interface Build {
  readonly clock: Clock
  readonly signal: AbortSignal | undefined
  readonly during: <T>(step: TemplateStep, work: () => Promise<T>) => Promise<T>
}

/** The result of a VM that has ended: its RAM, and the state of its devices. */
export interface Remainder extends AsyncDisposable {
  readonly ram: Memfd
  readonly state: Uint8Array
}

/** Boots a VM in a namespace of its own, brings it to the state that clones resume with, and freezes it. */
export async function bootTemplate(spec: TemplateSpec, build: Build): Promise<Remainder> {
  const { clock, signal } = build
  await using scope = new Scope()
  const ram = new Memfd('xcluster-template')
  await using unlessDone = new Scope()
  unlessDone.add(ram)
  ftruncateSync(ram.fd, spec.memoryMiB * mebibyte)

  const logs = await mkdtemp(join(tmpdir(), 'xcluster-template-'))
  scope.defer(() => rm(logs, { recursive: true, force: true }))
  const vm = templateVm(spec)
  const whole = {
    ...vm,
    qemu: spec.qemu.path,
    consoleLog: join(logs, 'console'),
    nics: ownTaps(vm.nics, scope),
  }
  const machine = scope.add(
    await build.during('boot', async () => {
      const started = await startMachine(
        whole,
        { role: 'template', ram },
        { clock, ...(signal && { signal }) },
      )
      await started.ready
      return started
    }),
  )
  const state = await unlessAborted(machine, signal, async () => {
    await build.during('warm', () => warm(machine, spec, clock))
    return freeze(machine.qmp)
  })
  unlessDone.move()
  return { ram, state, [Symbol.asyncDispose]: () => ram.close() }
}

/** The same NICs, on taps without a network. */
function ownTaps(nics: readonly Nic[], scope: Scope): Nic[] {
  if (nics.every(({ fds }) => fds.length === 0)) return [...nics]
  const namespace = scope.add(NetNamespace.create())
  return nics.map(({ args, fds }, index) => {
    const names = fds.map((_, queue) => `t${index}q${queue}`)
    const taps = openTaps(names, { namespace, vnetHdr: true }).map(tap => scope.add(tap))
    return { args, fds: taps.map(({ fd }) => fd) }
  })
}

/** After `ready` the machine no longer watches the signal. */
async function unlessAborted<T>(machine: Machine, signal: AbortSignal | undefined, work: () => Promise<T>) {
  const abort = () => void machine.kill()
  signal?.addEventListener('abort', abort)
  try {
    if (signal?.aborted) throw new Error('aborted')
    return await work()
  } catch (failure) {
    throw signal?.aborted ? startAborted(machine.name, signal.reason) : (machine.failure ?? failure)
  } finally {
    signal?.removeEventListener('abort', abort)
  }
}

async function warm(machine: Machine, { warmUp }: TemplateSpec, clock: Clock): Promise<void> {
  await warmUp?.run(machine)
  await machine.exec(['/bin/sh'], { input: settleScript, timeoutMs: 60_000 })
  await untilIdle(clock, () => ticksOf(machine.pid))
}
