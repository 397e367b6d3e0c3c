import { FilterReader } from './filter-words.ts'
import { layersOf } from './layers.ts'
import { type Match, primitive, type Qualifiers } from './primitive.ts'

/** Whether a frame passes a filter. */
export type FrameFilter = (bytes: Uint8Array) => boolean

/**
 * Reads a filter in the language of pcap-filter(7), without its arithmetic (`ip[8] < 5`): `host`, `net`, `port`,
 * `portrange`, `src`, `dst`, `ether`, `vlan`, `ip`, `ip6`, `arp`, `tcp`, `udp`, `icmp`, `icmp6`, `proto`, `broadcast`,
 * `multicast`, `less`, `greater`, `and`, `or`, `not`, parentheses. Empty, it passes all. Throws BAD_FILTER with the
 * column.
 */
export function frameFilter(text: string): FrameFilter {
  const reader = new FilterReader(text)
  if (reader.next === undefined) return () => true
  const match = new FilterParser(reader).whole()
  return bytes => {
    const layers = layersOf(bytes)
    return layers !== undefined && match(layers, bytes)
  }
}

/** How deep parentheses may be: each level is a call. */
const deepest = 100

class FilterParser {
  readonly #reader: FilterReader
  /** Of the last primitive: `port 80 or 443` means `port 80 or port 443`. */
  #last: Qualifiers | undefined
  #depth = 0

  constructor(reader: FilterReader) {
    this.#reader = reader
  }

  whole(): Match {
    const match = this.#expression()
    if (this.#reader.next !== undefined)
      throw this.#reader.refusal(`'${this.#reader.next}' does not follow from what is before it`)
    return match
  }

  /** `and` and `or` bind alike, from left to right (pcap-filter(7)). */
  #expression(): Match {
    let match = this.#term()
    for (;;) {
      const word = this.#reader.take('and', '&&', 'or', '||')
      if (word === undefined) return match
      const [left, right] = [match, this.#term()]
      match =
        word === 'and' || word === '&&'
          ? (layers, bytes) => left(layers, bytes) && right(layers, bytes)
          : (layers, bytes) => left(layers, bytes) || right(layers, bytes)
    }
  }

  #term(): Match {
    if (this.#depth > deepest) throw this.#reader.refusal('it is too deep')
    if (this.#reader.take('not', '!')) {
      this.#depth++
      const match = this.#term()
      this.#depth--
      return (layers, bytes) => !match(layers, bytes)
    }
    if (!this.#reader.take('(')) {
      const { match, qualifiers } = primitive(this.#reader, this.#last)
      this.#last = qualifiers
      return match
    }
    this.#depth++
    const match = this.#expression()
    this.#depth--
    this.#reader.must("')'", word => word === ')' || undefined)
    return match
  }
}
