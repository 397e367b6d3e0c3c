import { writeSync } from 'node:fs'
import { Memfd } from '../../../src/sys/index.ts'
import { blockSize } from '../../../src/vm/snapshot/manifest.ts'
import { type SavedVms, saveSnapshot } from '../../../src/vm/snapshots/save.ts'
import { randomOf } from '../../support/random.ts'

/** Bytes of memory of each VM of a sample. */
export const sampleBytes = 2 << 20

/** Three VMs that never ran: two with nearly the same memory, and a third with one more NIC. Its QEMU is this Node. */
export function sampleVms(seed: number): SavedVms & AsyncDisposable {
  const files: Memfd[] = []
  const random = randomOf(seed)
  const memory = (name: string, bytes: number, fills: readonly number[]) => {
    const file = new Memfd(name)
    files.push(file)
    fills.forEach((fill, index) => {
      if (fill > 0) writeSync(file.fd, Buffer.alloc(blockSize, fill), 0, blockSize, index * blockSize)
    })
    writeSync(file.fd, Buffer.of(7), 0, 1, bytes - 1)
    return file
  }
  const fills = Array.from({ length: sampleBytes / blockSize }, () => random() % 3)
  const other = fills.map((fill, index) => (index % 9 === 4 ? (fill + 1) % 3 : fill))
  const vm = (nicCount: number, blocks: readonly number[]) => ({
    ...{ memoryMiB: 2, nicCount, transport: 'fd' as const },
    ram: memory('ram', sampleBytes, blocks),
    state: memory('state', 70_001, [1 + (random() % 200)]),
  })
  const vms = new Map([
    [1, vm(2, fills)],
    [2, vm(2, other)],
    [201, vm(3, fills)],
  ])
  const about = { plan: { name: 'sample', topology: 'xnet', nodes: [1, 2, 201] } }
  return {
    ...{ vms, spreadMs: 1.5, about, accel: 'tcg' },
    qemu: { path: process.execPath, version: '7.2.22' },
    async [Symbol.asyncDispose]() {
      await Promise.all(files.map(file => file.close()))
    },
  }
}

/** Saves it. */
export async function saveSample(root: string, name: string, seed = 1): Promise<void> {
  await using vms = sampleVms(seed)
  await saveSnapshot(root, name, save => save(vms))
}
