import { datagramOf, NLM_F_ACK } from '../netlink/index.ts'
import { type Batch, operationsOf } from './open.ts'
import type { Operation } from './operation.ts'

/** Where in a message the index of an interface belongs: four bytes in host order. */
export interface LinkPlace {
  readonly offset: number
  readonly name: string
}

/**
 * A message for the kernel of another machine. The sender there fills in the indexes of that machine's
 * interfaces.
 */
export interface PlacedMessage {
  /** Operation and target: `add address 192.168.1.1/24 (eth1)`. */
  readonly about: string
  readonly bytes: Uint8Array
  readonly places: readonly LinkPlace[]
}

/** The messages of a batch, each a datagram that requests an acknowledgement. Pure: it does not ask a kernel. */
export function placedMessages(build: (batch: Batch) => void): PlacedMessage[] {
  return operationsOf(build).flatMap(operation => {
    const names = new Set(operation.refers.filter(link => typeof link === 'string'))
    const blank = encoded(operation)
    const marked = Array.from(names, name => [name, encoded(operation, name)] as const)
    return blank.map(({ about, bytes }, at) => ({
      about,
      bytes,
      places: marked.flatMap(([name, messages]) =>
        differences(bytes, messages[at]!.bytes).map(offset => ({ offset, name })),
      ),
    }))
  })
}

/** The messages with index 0 for every interface, except one with no byte of 0 for `marked`. */
function encoded({ requests }: Operation, marked?: string): { about: string; bytes: Uint8Array }[] {
  const indexOf = (link: string | number) =>
    typeof link === 'number' ? link : link === marked ? 0x01010101 : 0
  return requests({ indexOf, given: () => 0 }).map(request => ({
    about: `${request.op} ${request.target ?? ''}`.trim(),
    bytes: datagramOf([{ ...request, flags: (request.flags ?? 0) | NLM_F_ACK }]),
  }))
}

/** The places where two encodings differ. An index is four bytes, at a multiple of four. */
function differences(blank: Uint8Array, marked: Uint8Array): number[] {
  const words = Array.from({ length: blank.length / 4 }, (_, word) => word * 4)
  return words.filter(at => blank[at] !== marked[at])
}
