import { type Clock, systemClock } from '../base/index.ts'
import { QmpClient } from '../qmp/index.ts'
import { GuestConsole } from './console.ts'
import { ConsoleLog } from './console-log.ts'
import { startAborted } from './errors.ts'
import { GuestAgent } from './guest-agent.ts'
import { VmMachine } from './machine.ts'
import { Progress } from './progress.ts'
import { type Spawned, spawnQemu } from './spawn.ts'
import type { Machine, StartOptions, VmSpec } from './types.ts'

/**
 * Starts a VM: resolves when QEMU's monitor answers, while the guest boots on; `machine.ready` tells when its
 * agent has answered. Whatever goes wrong before that, and an abort, leaves nothing behind when it is thrown.
 */
export async function startVm(spec: VmSpec, options: StartOptions = {}): Promise<Machine> {
  const { signal, clock = systemClock } = options
  const began = clock.now()
  if (signal?.aborted) throw startAborted(spec.name, signal.reason)
  const log = new ConsoleLog(spec.consoleLog, spec.name)
  const spawned = await spawnQemu(spec).catch(failure => {
    log.close()
    throw failure
  })
  const machine = assemble(spec, spawned, { log, clock, began })
  if (signal) abortWith(machine, signal)
  await machine.opened()
  return machine
}

function assemble(
  spec: VmSpec,
  { launched, monitor, console, agent }: Spawned,
  { log, clock, began }: { log: ConsoleLog; clock: Clock; began: number },
): VmMachine {
  const { name } = spec
  const readyTimeoutMs = spec.readyTimeoutMs ?? 120_000
  return new VmMachine({
    name,
    nicCount: spec.nics.length,
    readyTimeoutMs,
    clock,
    launched,
    qmp: new QmpClient(monitor, { peer: name, clock }),
    console: new GuestConsole(console, log),
    agent: new GuestAgent(name, agent, clock),
    progress: new Progress(clock, began),
  })
}

function abortWith(machine: VmMachine, signal: AbortSignal): void {
  const abort = () => machine.fail(startAborted(machine.name, signal.reason))
  const leave = () => signal.removeEventListener('abort', abort)
  if (signal.aborted) abort()
  else signal.addEventListener('abort', abort)
  machine.ready.then(leave, leave)
}
