const [end4, end6] = ['\x07in-addr\x04arpa\0', '\x03ip6\x04arpa\0']

/** The beginnings of addresses: their reverse names exist, though they have no records (RFC 8020 §2). */
export class ReversePrefixes {
  /** One to three bytes: their number, then the bytes. */
  readonly #four = new Set<number>()
  /** Hexadecimal digits. */
  readonly #six = new Set<string>()

  add(address: Uint8Array): void {
    if (address.length === 4) {
      for (let count = 3; count > 0; count--) {
        const key = key4(address, count)
        if (this.#four.has(key)) return
        this.#four.add(key)
      }
      return
    }
    const digits = Buffer.from(address).toString('hex')
    for (let count = digits.length - 1; count > 0; count--) {
      const prefix = digits.slice(0, count)
      if (this.#six.has(prefix)) return
      this.#six.add(prefix)
    }
  }

  /** True for a reverse name, by its key, below which there are addresses. */
  has(key: string): boolean {
    const bytes = prefix4(key)
    if (bytes) return bytes.length > 0 && bytes.length < 4 && this.#four.has(key4(bytes, bytes.length))
    const digits = prefix6(key)
    return digits !== undefined && this.#six.has(digits)
  }
}

/** The address of a whole reverse name, by its key; undefined for any other name. */
export function reversed(key: string): Uint8Array | undefined {
  const bytes = prefix4(key)
  if (bytes) return bytes.length === 4 ? bytes : undefined
  const digits = prefix6(key)
  return digits?.length === 32 ? Uint8Array.from(Buffer.from(digits, 'hex')) : undefined
}

function key4(bytes: Uint8Array, count: number): number {
  let key = count
  for (let i = 0; i < count; i++) key = key * 256 + bytes[i]!
  return key
}

/** The labels before the end of a name, the last one first; undefined for a name that has another end. */
function labelsBefore(key: string, end: string): string[] | undefined {
  if (!key.endsWith(end)) return undefined
  const labels: string[] = []
  let at = 0
  for (; at < key.length - end.length; at += key.charCodeAt(at) + 1)
    labels.unshift(key.slice(at + 1, at + 1 + key.charCodeAt(at)))
  return at === key.length - end.length ? labels : undefined
}

function prefix4(key: string): Uint8Array | undefined {
  const labels = labelsBefore(key, end4)
  const isPrefix = labels && labels.length <= 4 && labels.every(label => /^(0|[1-9]\d{0,2})$/.test(label))
  return isPrefix && labels.every(label => Number(label) < 256) ? Uint8Array.from(labels, Number) : undefined
}

function prefix6(key: string): string | undefined {
  const labels = labelsBefore(key, end6)
  const isPrefix = labels && labels.length <= 32 && labels.every(label => /^[0-9a-f]$/.test(label))
  return isPrefix ? labels.join('') : undefined
}
