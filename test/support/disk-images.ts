import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { closeSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs'
import type { Qapi } from '../../src/qmp/index.ts'
import { bareQemu, endBare } from './bare-qemu.ts'

/** An ext4 file system with all that is in a directory, without root's privileges. */
export function writeExt4(path: string, { from, mebibytes }: { from: string; mebibytes: number }): void {
  const features = ['-F', '-q', '-O', '^metadata_csum_seed,^orphan_file', '-E', 'root_owner=0:0']
  execFileSync('mke2fs', ['-t', 'ext4', ...features, '-d', from, path, `${mebibytes}M`], { stdio: 'pipe' })
}

const sector = 512
/** Where the first partition begins, as partitioning tools have it. */
export const firstSector = 2048

/** A disk with an MBR and these partitions, one behind the other; `code` is in front of the first. */
export function writePartitioned(
  path: string,
  partitions: readonly Uint8Array[],
  code: Uint8Array = new Uint8Array(0),
): void {
  const file = openSync(path, 'w')
  try {
    const table = Buffer.alloc(sector)
    table.set(code.subarray(0, 440))
    let next = firstSector
    for (const [index, content] of partitions.entries()) {
      const sectors = Math.ceil(content.length / sector)
      table.writeUInt8(index === 0 ? 0x80 : 0, 446 + 16 * index)
      table.writeUInt8(0x83, 446 + 16 * index + 4)
      table.writeUInt32LE(next, 446 + 16 * index + 8)
      table.writeUInt32LE(sectors, 446 + 16 * index + 12)
      writeSync(file, content, 0, content.length, next * sector)
      next += Math.ceil(sectors / 2048) * 2048
    }
    table.writeUInt16BE(0x55aa, 510)
    writeSync(file, table, 0, sector, 0)
    if (code.length > sector) writeSync(file, code, sector, code.length - sector, sector)
  } finally {
    closeSync(file)
  }
}

type Create = Partial<Omit<Qapi.BlockdevCreateOptionsQcow2, 'file' | 'size'>>

/** A qcow2 image, made by QEMU: with the content of a raw one, or with none. */
export async function writeQcow2(
  path: string,
  { size, raw, create = {} }: { readonly size: number; readonly raw?: string; readonly create?: Create },
): Promise<void> {
  writeFileSync(path, '')
  const qemu = await bareQemu()
  const { client } = qemu
  const over = (id: string) =>
    client.once('JOB_STATUS_CHANGE', ({ data }) => data.id === id && data.status === 'concluded')
  const failed = async () =>
    (await client.execute('query-jobs')).find(({ error }) => error !== undefined)?.error
  try {
    await client.execute('blockdev-add', { 'node-name': 'file', driver: 'file', filename: path })
    const made = over('make')
    await client.execute('blockdev-create', {
      'job-id': 'make',
      options: { driver: 'qcow2', file: 'file', size, ...create },
    })
    await made
    if (raw !== undefined) {
      await client.execute('job-dismiss', { id: 'make' })
      await client.execute('blockdev-add', { 'node-name': 'to', driver: 'qcow2', file: 'file' })
      const source = { driver: 'file', filename: raw, 'read-only': true } as const
      await client.execute('blockdev-add', {
        'node-name': 'from',
        driver: 'raw',
        file: source,
        'read-only': true,
      })
      const copied = over('copy')
      const job = { 'job-id': 'copy', 'auto-dismiss': false } as const
      await client.execute('blockdev-backup', { device: 'from', target: 'to', sync: 'full', ...job })
      await copied
    }
    const failure = await failed()
    if (failure !== undefined) throw new Error(failure)
    await client.execute('quit')
    await qemu.process.exited
  } finally {
    await endBare(qemu)
  }
}

export function sha256Of(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex')
}
