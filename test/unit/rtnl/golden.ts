import { expect, test } from 'vitest'
import { Writer } from '../../../src/base/index.ts'
import {
  type Body,
  type Message,
  messages,
  NLM_F_ACK,
  NLM_F_REQUEST,
  writeMessage,
} from '../../../src/netlink/index.ts'
import type { Names, Operation } from '../../../src/rtnl/operation.ts'
import * as wire from '../../../src/rtnl/wire/index.ts'
import { readVector } from '../../support/vectors.ts'

const indexes: Record<string, number> = { lo: 1, xcbr0: 5, a0: 7, vx0: 9, ifb7: 9 }
/** The indexes of the links in the commands of test/vectors/rtnl. */
export const names: Names = {
  indexOf: link => (typeof link === 'number' ? link : indexes[link]!),
  given: () => 0,
}

/**
 * A vector of a tool's bytes, and the same operation in the library. `which` is the index of its message, if
 * not 0.
 */
export type Said = [vector: string, operation: Operation, which?: number]

function bodyOf({ type, body }: Pick<Message, 'type' | 'body'>): Body<unknown> {
  if (type >= wire.RTM_NEWNEXTHOPBUCKET) return wire.nextHopMessage as Body<unknown>
  if (type >= wire.RTM_NEWLINKPROP) return wire.linkMessage as Body<unknown>
  if (type >= wire.RTM_NEWNEXTHOP) return wire.nextHopMessage as Body<unknown>
  if (type >= wire.RTM_NEWNSID) return wire.namespaceMessage as Body<unknown>
  if (type >= wire.RTM_NEWQDISC) return wire.trafficMessage as Body<unknown>
  if (type >= wire.RTM_NEWRULE) return wire.ruleMessage as Body<unknown>
  if (type >= wire.RTM_NEWNEIGH) return wire.neighbourMessage as Body<unknown>
  if (type >= wire.RTM_NEWROUTE) return wire.routeMessage as Body<unknown>
  if (type >= wire.RTM_NEWADDR) return wire.addressMessage as Body<unknown>
  return (body.bytes[body.offset] === wire.AF_BRIDGE ? wire.portMessage : wire.linkMessage) as Body<unknown>
}

interface Decoded extends Message {
  readonly codec: Body<unknown>
  readonly value: unknown
}

/** The decoded messages of a vector, without the ends of dumps. */
export function messagesOf(vector: string): Decoded[] {
  const found = readVector(`rtnl/${vector}`).datagrams.flatMap(datagram => [...messages(datagram)])
  return found
    .filter(({ type }) => type >= wire.RTM_NEWLINK)
    .map(message => {
      const codec = bodyOf(message)
      return { ...message, codec, value: codec.read(message.body) }
    })
}

export function encode(type: number, flags: number, write: (out: Writer) => void): Uint8Array {
  const out = new Writer()
  writeMessage(out, { type, flags, sequence: 0 }, write)
  return out.done()
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
const onlyDatagram = (vector: string) => readVector(`rtnl/${vector}`).datagrams[0]!

/** For each vector: the operation encodes to the tool's bytes, and these decode and encode to themselves. */
export function goldenTests(said: readonly Said[]): void {
  sameMeaning(said)
  roundTrips(...said.map(([vector]) => vector))
}

/** For each vector: the operation encodes to a message of the same length and meaning. */
export function sameMeaning(said: readonly Said[]): void {
  test.each(said)(
    '%s: the operation encodes to the bytes that the tool sent',
    (vector, operation, which = 0) => {
      const [theirs] = messagesOf(vector)
      const ours = operation.requests(names)[which]!
      const asked = theirs!.flags & NLM_F_ACK // `ip route get` does not request an acknowledgement
      expect([ours.type, (ours.flags ?? 0) | NLM_F_REQUEST | asked]).toEqual([theirs!.type, theirs!.flags])
      const bytes = encode(ours.type, theirs!.flags, out => ours.body.write(out, ours.value))
      const [message] = messages(bytes)
      expect(bodyOf(message!).read(message!.body)).toEqual(theirs!.value)
      expect(bytes.length).toBe(onlyDatagram(vector).length)
    },
  )
}

/** Decoding a vector and encoding the result gives the same bytes. */
export function roundTrips(...vectors: readonly string[]): void {
  birthCertificates(vectors)
  test.each(vectors)('%s: decoding and encoding gives the same bytes', vector => {
    const [message] = messagesOf(vector)
    const bytes = encode(message!.type, message!.flags, out => message!.codec.write(out, message!.value))
    expect(hex(bytes)).toBe(hex(onlyDatagram(vector)))
  })
}

/** The same for the kernel's answers, whose attributes may be in another order. */
export function answers(...vectors: readonly string[]): void {
  birthCertificates(vectors)
  test.each(vectors)("%s: decoding and encoding loses nothing of the kernel's answer", vector => {
    const found = messagesOf(vector)
    expect(found.length).toBeGreaterThan(0)
    for (const { type, flags, value, codec } of found) {
      const bytes = encode(type, flags, out => codec.write(out, value))
      const [again] = messages(bytes)
      expect(codec.read(again!.body)).toEqual(value)
    }
  })
}

function birthCertificates(vectors: readonly string[]): void {
  test(`${vectors[0]} and the other vectors name the command, tool and kernel that made them`, () => {
    for (const vector of vectors) {
      const { command, tool, kernel } = readVector(`rtnl/${vector}`)
      expect(command).toMatch(/^(ip|bridge|tc) /)
      expect(tool).toMatch(/\d+\.\d+/)
      expect(kernel).toMatch(/^Linux /)
    }
  })
}
