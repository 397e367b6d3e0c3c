import { constants } from 'node:fs'
import { open } from 'node:fs/promises'

/**
 * The bytes of an ordinary file, at most `most`. Throws the system's error, or a sentence for what would never end or be
 * too much: a FIFO, a device, a larger file.
 */
export async function readOrdinaryFile(path: string, most: number): Promise<Buffer> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK) // a FIFO may have no writer
  try {
    const stat = await file.stat()
    if (!stat.isFile() && !stat.isDirectory()) throw new Error('it is not a file')
    if (stat.size > most) throw new Error(`it has more than ${most / 2 ** 20} MiB`)
    return await file.readFile()
  } finally {
    await file.close()
  }
}
