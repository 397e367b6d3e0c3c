import { closeSync, openSync } from 'node:fs'
import { type Clock, until } from '../../base/index.ts'
import type { QmpClient } from '../../qmp/index.ts'
import type { Memfd } from '../../sys/index.ts'
import { childFds } from '../qemu/child-fds.ts'
import { unsupported } from '../template/errors.ts'
import { ignoreShared } from './restore.ts'
import { askTransport, type StateTransport, stateUri } from './transport.ts'

/**
 * Stops a VM that was started as a template, and saves the state of its devices in the file that it inherited
 * for it. It is saved while it runs, so that clones need no `cont`. Returns how its clones read the state.
 */
export async function freeze(
  qmp: QmpClient,
  state: Memfd,
  role: 'template' | 'derived',
): Promise<StateTransport> {
  await mustKnow(qmp, [ignoreShared.capability, 'events'])
  await qmp.execute('migrate-set-capabilities', {
    capabilities: [ignoreShared, { capability: 'events', state: true }],
  })
  const transport = await askTransport(qmp)
  const uri = transport === 'file' ? stateUri(transport, childFds[role].saved!) : await byName(qmp, state)
  const over = qmp.once('MIGRATION', ({ data }) => ['completed', 'failed'].includes(String(data.status)), {
    timeoutMs: 60_000,
  })
  await qmp.execute('migrate', { uri })
  await over
  const { status, 'error-desc': reason = `the migration is '${status}'` } = await qmp.execute('query-migrate')
  if (status !== 'completed') throw unsupported(`QEMU could not save its state: ${reason}`)
  return transport
}

/**
 * Waits until a VM that has been saved, or could not be, takes `cont`. QEMU tells that a migration is over before it
 * leaves the state in which it refuses to go on ("Migration is not finalized yet").
 */
export async function settled(qmp: QmpClient, clock: Clock): Promise<void> {
  const isSettled = async () => (await qmp.execute('query-status')).status !== 'finish-migrate'
  await until(clock, isSettled, { everyMs: 2, withinMs: 5000, why: 'end of a migration' })
}

/**
 * QEMU without `file:` reads from a descriptor by its number, but writes only to one with a name. It is opened again: a
 * duplicate would write behind the state that was saved before.
 */
async function byName(qmp: QmpClient, state: Memfd): Promise<string> {
  const fd = openSync(`/proc/self/fd/${state.fd}`, 'w')
  try {
    await qmp.execute('getfd', { fdname: 'state' }, { fds: [fd] })
  } finally {
    closeSync(fd)
  }
  return 'fd:state'
}

/**
 * Throws when QEMU lacks one of these capabilities. Names that begin with x- may change in any version, so
 * they are checked before use.
 */
async function mustKnow(qmp: QmpClient, names: readonly string[]): Promise<void> {
  const known = await qmp.execute('query-migrate-capabilities')
  const lacking = names.find(name => !known.some(({ capability }) => capability === name))
  if (lacking) throw unsupported(`this QEMU lacks the migration capability '${lacking}'`)
}
