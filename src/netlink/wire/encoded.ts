import { type Codec, Reader, Writer } from '../../base/index.ts'
import { take } from '../takes.ts'

/** The bytes of a value: of attributes inside a link's `data`, an attribute kept as bytes, a whole body. */
export function encoded<T>(codec: { write(out: Writer, value: T): void }, value: T): Uint8Array {
  take('encode', codec, ['writer', 'codec'])
  const out = new Writer()
  codec.write(out, value)
  return out.done().slice()
}

/** The value that these bytes are. Throws {@link DecodeError} when they are malformed. */
export function decoded<T>(codec: Pick<Codec<T>, 'read'>, bytes: Uint8Array): T {
  take('decode', codec, ['reader', 'codec'])
  take('decode', bytes, ['bytes', 'bytes'])
  return codec.read(new Reader(bytes))
}
