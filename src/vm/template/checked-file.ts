import { writeSync } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { crc32 } from 'node:zlib'
import { type Checked, pieceSize } from './manifest.ts'

/**
 * Writes a file piece by piece and remembers each piece's CRC-32. That finds every single flipped bit, every burst
 * of up to 32 bits, and all but 2⁻³² of the rest; it takes a third of the time of SHA-256, and nobody who can
 * write here is kept out by a hash that lies beside the file.
 */
export class CheckedWriter {
  readonly #file: FileHandle
  readonly #piece = Buffer.allocUnsafe(pieceSize)
  readonly #checks: number[] = []
  #filled = 0
  #bytes = 0

  constructor(file: FileHandle) {
    this.#file = file
  }

  async write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; ) {
      const taken = bytes.subarray(at, at + pieceSize - this.#filled)
      this.#piece.set(taken, this.#filled)
      this.#filled += taken.length
      at += taken.length
      if (this.#filled === pieceSize) await this.#flush()
    }
  }

  /** Resolves when all of it is on the disk. */
  async done(): Promise<Checked> {
    if (this.#filled > 0) await this.#flush()
    await this.#file.sync()
    return { bytes: this.#bytes, checks: this.#checks }
  }

  async #flush(): Promise<void> {
    const piece = this.#piece.subarray(0, this.#filled)
    this.#checks.push(crc32(piece))
    await this.#file.writeFile(piece)
    this.#bytes += this.#filled
    this.#filled = 0
  }
}

/**
 * Reads a file back and gives each piece, once it has been checked, to `take`. While one is checked the next is
 * read. Throws what is wrong with the file, as a sentence.
 */
export async function readChecked(
  file: FileHandle,
  { bytes, checks }: Checked,
  take: (piece: Buffer, at: number) => void,
): Promise<void> {
  const { size } = await file.stat()
  if (size !== bytes) throw new Error(`it has ${size} bytes where ${bytes} were written`)
  const buffers = [Buffer.allocUnsafe(pieceSize), Buffer.allocUnsafe(pieceSize)]
  const read = (index: number) => {
    const at = index * pieceSize
    return file.read(buffers[index % 2]!, 0, Math.min(pieceSize, bytes - at), at)
  }
  let next = bytes > 0 ? read(0) : undefined
  for (let index = 0; next; index++) {
    const { bytesRead, buffer } = await next
    const at = index * pieceSize
    next = at + pieceSize < bytes ? read(index + 1) : undefined
    const piece = buffer.subarray(0, bytesRead)
    if (bytesRead !== Math.min(pieceSize, bytes - at) || crc32(piece) !== checks[index]) {
      await next?.catch(() => {})
      throw new Error(`what it has at ${at} is not what was written`)
    }
    take(piece, at)
  }
}

/** All of it, however many calls that takes. */
export function writeAt(fd: number, bytes: Uint8Array, position: number): void {
  for (let done = 0; done < bytes.length; )
    done += writeSync(fd, bytes, done, bytes.length - done, position + done)
}
