import { writeSync } from 'node:fs'
import { Memfd } from '../../../src/sys/index.ts'
import { blockSize } from '../../../src/vm/snapshot/manifest.ts'
import { type Frozen, saveTemplate } from '../../../src/vm/snapshot/store.ts'
import { type TemplateFacts, templateKey } from '../../../src/vm/template/facts.ts'

/** A frozen VM that never ran: `memoryMiB` of memory, of which every other block is noise from `seed`. */
export function sample(seed: number, memoryMiB = 2): Frozen & { readonly key: string } {
  const facts: TemplateFacts = {
    format: 1,
    image: `image ${seed}`,
    qemu: { path: '/usr/bin/qemu', version: '7.2.22', size: 1, mtimeMs: 1 },
    cpu: 'cpu',
    arguments: ['-m', `${memoryMiB}M`],
    warmUp: '',
  }
  const ram = new Memfd('test')
  const noise = noiseOf(seed)
  for (let at = 0; at < memoryMiB << 20; at += 2 * blockSize)
    writeSync(ram.fd, noise(blockSize), 0, blockSize, at)
  writeSync(ram.fd, Buffer.alloc(blockSize), 0, blockSize, (memoryMiB << 20) - blockSize)
  return { key: templateKey(facts), facts, memoryMiB, nicCount: 2, ram, state: noise(70_001) }
}

/** Saves it in its place in the cache, and returns that place. */
export async function saved(directoryOf: (key: string) => string, seed: number, memoryMiB?: number) {
  const { key, ...frozen } = sample(seed, memoryMiB)
  await saveTemplate(directoryOf(key), frozen)
  await frozen.ram.close()
  return { key, directory: directoryOf(key) }
}

/** Bytes without pattern, the same for the same seed (xorshift32). */
function noiseOf(seed: number): (length: number) => Buffer {
  const next = randomOf(seed)
  return length => {
    const bytes = Buffer.alloc(length)
    for (let at = 0; at + 4 <= length; at += 4) bytes.writeUInt32LE(next(), at)
    return bytes
  }
}

export function randomOf(seed: number): () => number {
  let state = seed * 2654435761 + 1
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return state >>> 0
  }
}
