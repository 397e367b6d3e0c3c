import { ftruncateSync, readFileSync } from 'node:fs'
import { type FileHandle, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Clock, type Nic, Scope } from '../../base/index.ts'
import { Memfd, NetNamespace, openTaps } from '../../sys/index.ts'
import { type LayerContent, openLayer } from '../disk/layer.ts'
import { startAborted } from '../errors.ts'
import { startMachine } from '../machine/start.ts'
import type { Origin } from '../qemu/spawn.ts'
import { freeze } from '../snapshot/device-state.ts'
import { copyNonZero } from '../snapshot/extents.ts'
import { mebibyte } from '../snapshot/manifest.ts'
import { wake } from '../snapshot/restore.ts'
import type { StateTransport } from '../snapshot/transport.ts'
import type { Machine, StartOptions, Template, VmSpec } from '../types.ts'
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
  readonly transport: StateTransport
  /** What it has written to its disk. */
  readonly layer?: FileHandle | undefined
}

/** Boots a VM in a namespace of its own, brings it to the state that clones resume with, and freezes it. */
export async function bootTemplate(spec: TemplateSpec, build: Build): Promise<Remainder> {
  return saveOne(spec, build, {
    role: 'template',
    prepare: async () => {},
    layer: spec.bootDisk?.emptyLayer,
    start: (whole, origin, options) =>
      build.during('boot', async () => {
        const started = await startMachine(whole, origin, options)
        await started.ready
        return started
      }),
    work: machine => build.during('warm', () => warm(machine, spec, build.clock)),
  })
}

/** Resumes `base` in a namespace of its own, does the work that is added to it, and freezes it again. */
export async function deriveTemplate(spec: TemplateSpec, base: Template, build: Build): Promise<Remainder> {
  return saveOne(spec, build, {
    role: 'derived',
    prepare: ram => copyNonZero(base.ram.fd, ram.fd, spec.memoryMiB * mebibyte),
    layer: base.layer,
    start: (whole, origin, options) =>
      startMachine(
        { ...whole, readyWith: 'running' },
        { ...origin, state: base.state, wake: qmp => wake(qmp, base, 'derived') },
        options,
      ),
    work: machine =>
      build.during('add', async () => {
        await spec.added?.run(machine)
        await untilIdle(build.clock, () => ticksOf(machine.pid))
      }),
  })
}

/** One way to come to a VM that can be saved. */
interface Making {
  readonly role: 'template' | 'derived'
  /** Fills its memory. */
  prepare(ram: Memfd): Promise<void>
  /** What its disk's layer begins with, if it has one. */
  readonly layer: LayerContent | undefined
  start(spec: VmSpec, origin: Origin, options: StartOptions): Promise<Machine>
  work(machine: Machine): Promise<void>
}

async function saveOne(spec: TemplateSpec, { clock, signal }: Build, making: Making): Promise<Remainder> {
  const { role } = making
  await using scope = new Scope()
  const saved = scope.add(new Memfd('xcluster-template-state'))
  const ram = new Memfd('xcluster-template')
  await using unlessDone = new Scope()
  unlessDone.add(ram)
  ftruncateSync(ram.fd, spec.memoryMiB * mebibyte)
  await making.prepare(ram)

  const logs = await mkdtemp(join(tmpdir(), 'xcluster-template-'))
  scope.defer(() => rm(logs, { recursive: true, force: true }))
  const layer = making.layer && unlessDone.add(await openLayer(logs, making.layer, 'a template'))
  const vm = templateVm(spec)
  const whole = {
    ...vm,
    qemu: spec.qemu.path,
    consoleLog: join(logs, 'console'),
    nics: await ownTaps(vm.nics, scope),
  }
  const machine = scope.add(
    await making.start(whole, { role, ram, saved, layer }, { clock, ...(signal && { signal }) }),
  )
  const transport = await unlessAborted(machine, signal, async () => {
    await making.work(machine)
    return freeze(machine.qmp, saved, role)
  })
  unlessDone.move()
  const bytes = readFileSync(`/proc/self/fd/${saved.fd}`)
  const close = async () => {
    await Promise.all([ram.close(), layer?.close()])
  }
  return { ram, state: bytes, transport, layer, [Symbol.asyncDispose]: close }
}

/** The same NICs, on taps without a network. */
async function ownTaps(nics: readonly Nic[], scope: Scope): Promise<Nic[]> {
  if (nics.every(({ fds }) => fds.length === 0)) return [...nics]
  const namespace = scope.add(NetNamespace.create())
  const own: Nic[] = []
  for (const [index, { args, fds }] of nics.entries()) {
    const names = fds.map((_, queue) => `t${index}q${queue}`)
    const taps = await openTaps(names, { namespace, vnetHdr: true })
    own.push({ args, fds: taps.map(tap => scope.add(tap).fd) })
  }
  return own
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
