import { readFileSync } from 'node:fs'
import type { QmpClient } from '../../qmp/index.ts'
import { Memfd } from '../../sys/index.ts'
import { unsupported } from '../template/errors.ts'
import { ignoreShared } from './restore.ts'

/**
 * Stops a VM whose RAM is in a shared file and returns the state of its devices. It is saved while it runs,
 * so that clones need no `cont`. QEMU writes to a regular file through `fd:`, which the sandbox allows and
 * every QEMU knows (`file:` came with 8.2).
 */
export async function freeze(qmp: QmpClient): Promise<Uint8Array> {
  await mustKnow(qmp, [ignoreShared.capability, 'events'])
  await qmp.execute('migrate-set-capabilities', {
    capabilities: [ignoreShared, { capability: 'events', state: true }],
  })
  await using file = new Memfd('xcluster-freeze')
  await qmp.execute('getfd', { fdname: 'state' }, { fds: [file.fd] })
  const over = qmp.once('MIGRATION', ({ data }) => ['completed', 'failed'].includes(String(data.status)), {
    timeoutMs: 60_000,
  })
  await qmp.execute('migrate', { uri: 'fd:state' })
  await over
  const { status, 'error-desc': reason = `the migration is '${status}'` } = await qmp.execute('query-migrate')
  if (status !== 'completed') throw unsupported(`QEMU could not save its state: ${reason}`)
  return readFileSync(`/proc/self/fd/${file.fd}`)
}

/**
 * Throws when QEMU lacks one of these capabilities. Names that begin with x- may change in any version, so
 * they are checked before use.
 */
async function mustKnow(qmp: QmpClient, names: readonly string[]): Promise<void> {
  const known = (await qmp.execute('query-migrate-capabilities')) as readonly {
    readonly capability: string
  }[]
  const lacking = names.find(name => !known.some(({ capability }) => capability === name))
  if (lacking) throw unsupported(`this QEMU lacks the migration capability '${lacking}'`)
}
