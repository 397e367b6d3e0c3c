import { type DecodedPacket, decode } from 'dns-packet'
import { openResolver, type Resolver, type ResolverOptions } from '../../../src/dns/index.ts'
import type { FakeUpstream } from '../../support/dns-upstream.ts'

export const udp = { transport: 'udp', address: '127.0.0.1', port: 40_000 } as const
export const tcp = { ...udp, transport: 'tcp' } as const

/** A forwarder with these upstreams, which drops notices. */
export function forwarder(upstreams: readonly FakeUpstream[], options: ResolverOptions = {}): Resolver {
  return openResolver({ upstreams: upstreams.map(({ address }) => address), loopCheck: false, ...options })
}

/** Its answer, decoded. */
export async function ask(resolver: Resolver, query: Uint8Array, asker = udp as typeof udp | typeof tcp) {
  const bytes = await resolver.resolve(query, asker)
  if (!bytes) throw new Error('the forwarder sent no answer')
  return read(bytes)
}

/** Its immediate answer, or the result of `answerNow` that is not a length. */
export function askNow(resolver: Resolver, query: Uint8Array, room = 0xffff) {
  const into = { bytes: Buffer.alloc(room + 3, 0xee), at: 3, length: room }
  // In the middle of a larger buffer, as in a batch.
  const bytes = Buffer.concat([Buffer.alloc(5, 0xff), query, Buffer.alloc(7, 0xff)])
  const length = resolver.answerNow({ bytes, at: 5, length: query.length }, udp, into)
  return length > 0 ? read(into.bytes.subarray(3, 3 + length)) : length
}

export interface Read extends DecodedPacket {
  readonly bytes: Buffer
  readonly rcode: string
  readonly rcodeNumber: number
  readonly data: unknown[]
}

function read(bytes: Uint8Array): Read {
  const buffer = Buffer.from(bytes)
  const packet = decode(buffer) as ReturnType<typeof decode> & { rcode: string }
  const data = packet.answers!.map(answer => ('data' in answer ? answer.data : undefined))
  return { ...packet, bytes: buffer, rcodeNumber: buffer[3]! & 15, data }
}

/** The extended errors in an answer's OPT record (RFC 8914). */
export function extendedErrors({ additionals = [] }: Read): number[] {
  return additionals.flatMap(record =>
    record.type === 'OPT'
      ? record.options.flatMap(({ code, data }) =>
          Number(code) === 15 && data ? [data.readUInt16BE(0)] : [],
        )
      : [],
  )
}
