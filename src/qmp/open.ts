import { durationText, type Port, XclusterError } from '../base/index.ts'
import { adoptStream, connectWhenReady } from '../sys/index.ts'
import { type AgentClient, connectAgent } from './agent.ts'
import { connectQmp, type QmpClient } from './client.ts'
import { abortedError, QmpError } from './errors.ts'
import type { ConnectOptions } from './session.ts'
import { take } from './takes.ts'
import type { Qmp, QmpSchema } from './versions.ts'

/**
 * Where a monitor or a guest agent is: the path of its unix socket, a connected descriptor (the client's from now on), or
 * its TCP address.
 */
export type QmpAddress = string | number | { readonly host: string; readonly port: number }

export interface OpenOptions extends ConnectOptions {
  /** How long its socket may take to appear and to accept. 0: it must do so at once. Default: as `timeoutMs`. */
  readonly connectMs?: number
}

/**
 * Connects to the monitor of `-qmp unix:PATH,server=on,wait=off` or `-qmp tcp:HOST:PORT,server=on,wait=off`, which may
 * appear later. Throws QMP_UNREACHABLE when it does not within `connectMs`.
 *
 * ```ts
 * await using monitor = await openQmp('/run/vm/qmp', { connectMs: 5_000, signal })
 * ```
 */
export async function openQmp<Version extends QmpSchema = Qmp>(
  address: QmpAddress,
  options: OpenOptions = {},
): Promise<QmpClient<Version>> {
  take('connect to QEMU', address, ['address', 'address'])
  return connectQmp<Version>(await openPort(address, options), { peer: textOf(address), ...options })
}

/** Connects to the guest agent behind `-chardev socket,path=PATH,server=on,wait=off`, in the same ways. */
export async function openAgent(address: QmpAddress, options: OpenOptions = {}): Promise<AgentClient> {
  take('connect to guest agent', address, ['address', 'address'])
  return connectAgent(await openPort(address, options), { peer: textOf(address), ...options })
}

async function openPort(address: QmpAddress, options: OpenOptions): Promise<Port> {
  take('connect', options, 'connecting')
  const { signal, clock, peer = textOf(address), timeoutMs = 30_000, connectMs = timeoutMs } = options
  try {
    if (typeof address === 'number') return adoptStream(address)
    return await connectWhenReady(address, { withinMs: connectMs, signal, ...(clock && { clock }) })
  } catch (failure) {
    if (signal?.aborted) throw abortedError({ op: 'connect to', target: peer }, signal.reason)
    throw failure instanceof XclusterError ? unreachable(peer, failure, connectMs) : failure
  }
}

/** An address as error messages have it. */
export function textOf(address: QmpAddress): string {
  if (typeof address === 'string') return address
  return typeof address === 'number' ? `file descriptor ${address}` : `${address.host}:${address.port}`
}

function unreachable(target: string, cause: XclusterError, ms: number): QmpError {
  const reason = `${cause.reason}; waited for at most ${durationText(ms)}`
  const remedy = cause.remedy ?? 'Make sure that QEMU listens there: -qmp unix:PATH,server=on,wait=off'
  return new QmpError({
    code: 'QMP_UNREACHABLE',
    op: 'connect to',
    target,
    reason,
    remedy,
    outcome: 'unsent',
    cause,
  })
}
