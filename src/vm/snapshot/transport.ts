import type { QmpClient } from '../../qmp/index.ts'

/**
 * How QEMU reads and writes a device state in a file that it has inherited: `fd` by the descriptor's number,
 * which QEMU 11 refuses for regular files, or `file` by its path, which QEMU knows since 8.2.
 */
export type StateTransport = 'fd' | 'file'

/** Asks QEMU, whose version does not tell what a distribution has built (qemu `qapi/migration.json`). */
export async function askTransport(qmp: QmpClient): Promise<StateTransport> {
  const schema = await qmp.execute('query-qmp-schema')
  const knowsFiles = schema.some(entry => {
    if (entry['meta-type'] !== 'enum' || !Array.isArray(entry.values)) return false
    const values: readonly unknown[] = entry.values
    return ['socket', 'exec', 'rdma', 'file'].every(name => values.includes(name)) // MigrationAddressType
  })
  return knowsFiles ? 'file' : 'fd'
}

/** The state in QEMU's descriptor `fd`, for `migrate` and `migrate-incoming`. */
export function stateUri(transport: StateTransport, fd: number): string {
  return transport === 'file' ? `file:/proc/self/fd/${fd}` : `fd:${fd}`
}
