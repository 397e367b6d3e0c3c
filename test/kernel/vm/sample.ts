import { readFileSync, statSync, writeSync } from 'node:fs'
import { Memfd } from '../../../src/sys/index.ts'
import { blockSize } from '../../../src/vm/snapshot/manifest.ts'
import { type Frozen, saveTemplate } from '../../../src/vm/snapshot/store.ts'
import { hostCpu, type TemplateFacts, templateKey } from '../../../src/vm/template/facts.ts'
import { randomOf } from '../../support/random.ts'

/** Stands for QEMU: a file of this machine. */
const { size, mtimeMs } = statSync(process.execPath)
export const sampleQemu = { path: process.execPath, version: '7.2.22', build: 'Debian 1:7.2', size, mtimeMs }

/**
 * A frozen VM that never ran: `memoryMiB` of memory, of which every other block is noise from `seed`. `other`: facts that
 * are not those of this machine.
 */
export function sample(seed: number, memoryMiB = 2, other: Partial<TemplateFacts> = {}) {
  const facts: TemplateFacts = {
    format: 1,
    image: `image ${seed}`,
    qemu: sampleQemu,
    cpu: hostCpu(readFileSync('/proc/cpuinfo', 'utf8'), 'tcg'),
    arguments: ['-m', `${memoryMiB}M`],
    warmUp: '',
    added: '',
    ...other,
  }
  const ram = new Memfd('test')
  const noise = noiseOf(seed)
  for (let at = 0; at < memoryMiB << 20; at += 2 * blockSize)
    writeSync(ram.fd, noise(blockSize), 0, blockSize, at)
  writeSync(ram.fd, Buffer.alloc(blockSize), 0, blockSize, (memoryMiB << 20) - blockSize)
  const frozen: Frozen = { facts, memoryMiB, nicCount: 2, ram, state: noise(70_001), transport: 'fd' }
  return { key: templateKey(facts), ...frozen }
}

/** Saves it in its place in the cache, and returns that place. */
export async function saved(directoryOf: (key: string) => string, seed: number, memoryMiB?: number) {
  const { key, ...frozen } = sample(seed, memoryMiB)
  await saveTemplate(directoryOf(key), frozen)
  await frozen.ram.close()
  return { key, directory: directoryOf(key) }
}

/** Bytes without pattern, the same for the same seed. */
function noiseOf(seed: number): (length: number) => Buffer {
  const next = randomOf(seed)
  return length => {
    const bytes = Buffer.alloc(length)
    for (let at = 0; at + 4 <= length; at += 4) bytes.writeUInt32LE(next(), at)
    return bytes
  }
}
