import { write } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { promisify } from 'node:util'
import { crc32 } from 'node:zlib'
import { type Checked, pieceSize } from './manifest.ts'

/**
 * Writes a file piece by piece and records each piece's CRC-32. A CRC-32 finds every single flipped bit,
 * every burst of up to 32 bits, and all but 2⁻³² of other damage. It takes a third of the time of SHA-256. A
 * cryptographic hash beside the file would not stop an attacker who can write here.
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
 * Reads a file back and passes each piece to `take` after checking it. While one piece is checked, the next
 * is read and the one before is taken, in threads of libuv: a second core halves the time. Throws a sentence
 * about the damage.
 */
export async function readChecked(
  file: FileHandle,
  { bytes, checks }: Checked,
  take: (piece: Buffer, at: number) => Promise<void>,
): Promise<void> {
  const { size } = await file.stat()
  if (size !== bytes) throw new Error(`it has ${size} bytes, and ${bytes} were written`)
  const buffers = Array.from({ length: 3 }, () => Buffer.allocUnsafe(pieceSize))
  const lengthAt = (at: number) => Math.min(pieceSize, bytes - at)
  const read = (at: number) => handled(file.read(buffers[(at / pieceSize) % 3]!, 0, lengthAt(at), at))
  let taking: Promise<unknown> = Promise.resolve()
  let reading = read(0)
  try {
    for (let at = 0; at < bytes; at += pieceSize) {
      const { bytesRead, buffer } = await reading
      if (at + pieceSize < bytes) reading = read(at + pieceSize)
      const piece = buffer.subarray(0, bytesRead)
      if (bytesRead !== lengthAt(at) || crc32(piece) !== checks[at / pieceSize])
        throw new Error(`its contents at ${at} are not what was written`)
      await taking
      taking = handled(take(piece, at))
    }
    await taking
  } finally {
    await Promise.allSettled([reading, taking]) // the file must not be used after its close
  }
}

/** Marks a rejection that is awaited later as handled. */
function handled<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {})
  return promise
}

const writeOnce = promisify(write)

/** Writes all of it, in as many calls as that takes. */
export async function writeAt(fd: number, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await writeOnce(fd, bytes, done, bytes.length - done, position + done)
    done += bytesWritten
  }
}
