import { expect, test } from 'vitest'
import { Writer } from '../../../src/base/index.ts'
import { type Body, type Message, messages, NLM_F_ACK, writeMessage } from '../../../src/netlink/index.ts'
import { transactionBytes } from '../../../src/nft/index.ts'
import * as wire from '../../../src/nft/wire/index.ts'
import { readVector } from '../../support/vectors.ts'
import { commands } from '../../vectors/nft/rulesets.ts'
import { bodyOf } from './bodies.ts'
import { said } from './said.ts'

interface Read extends Message {
  readonly codec: Body<unknown>
  readonly value: { attributes: Record<string, unknown> }
}

function readAll(datagram: Uint8Array): Read[] {
  return Array.from(messages(datagram), message => {
    const codec = bodyOf(message.type)
    return { ...message, codec, value: codec.read(message.body) as Read['value'] }
  })
}

function encode(all: readonly Read[]): string {
  const out = new Writer()
  for (const { type, flags, sequence, codec, value } of all)
    writeMessage(out, { type, flags, sequence }, () => codec.write(out, value))
  return Buffer.from(out.done()).toString('hex')
}

const isAnonymous = ({ attributes: { flags } }: Read['value']) =>
  ((flags as number) & wire.NFT_SET_ANONYMOUS) !== 0

/**
 * Equalizes what each encoder may choose: the numbers of new sets, which nft counts with the commands; the
 * number of an existing set, which is found by name; the numbers of messages, where nft leaves some out; the kernel's default for a bitwise operation; what nft
 * notes for its own listing of anonymous sets, and its estimate of their size; how nft notes that a type was
 * given as a concatenation; the empty data of an object to delete; the request for an acknowledgement.
 */
function comparable(all: readonly Read[]): Read[] {
  const made = all.filter(({ type }) => type === wire.NFT_MSG_NEWSET).map(({ value }) => value.attributes.id)
  const number = (id: unknown) => made.indexOf(id) + 1
  return all.map((message, sequence) => {
    const attributes = { ...message.value.attributes }
    if (attributes.id !== undefined && message.type === wire.NFT_MSG_NEWSET)
      attributes.id = number(attributes.id)
    if (message.type === wire.NFT_MSG_NEWSET && isAnonymous(message.value)) attributes.userData = undefined
    else if (attributes.userData && message.type === wire.NFT_MSG_NEWSET)
      attributes.userData = withoutTypeof(attributes.userData as Uint8Array)
    if (message.type === wire.NFT_MSG_DELOBJ) delete attributes.counter
    if (attributes.setId !== undefined) attributes.setId = number(attributes.setId) || undefined
    if (attributes.expressions) {
      const expressions = attributes.expressions as wire.Expression[]
      attributes.expressions = expressions.map(one => {
        if ('setId' in one) return { ...one, setId: number(one.setId) || undefined }
        return one.kind === 'bitwise' ? { ...one, operation: undefined } : one
      })
    }
    return {
      ...message,
      sequence,
      flags: message.flags & ~NLM_F_ACK,
      value: { ...message.value, attributes },
    }
  })
}

/** NFTNL_UDATA_SET_{KEY,DATA}_TYPEOF. */
const typeofNotes = [3, 4]

function withoutTypeof(userData: Uint8Array): Uint8Array {
  const kept: number[] = []
  for (let at = 0; at < userData.length; at += 2 + userData[at + 1]!)
    if (!typeofNotes.includes(userData[at]!)) kept.push(...userData.subarray(at, at + 2 + userData[at + 1]!))
  return Uint8Array.from(kept)
}

test.each(Object.entries(said))('%s: the operation encodes to the bytes that nft sent', (vector, build) => {
  const [theirs] = readVector(`nft/${vector}`).datagrams
  const ours = transactionBytes(build)
  expect(comparable(readAll(ours)).map(({ value }) => value)).toEqual(
    comparable(readAll(theirs!)).map(({ value }) => value),
  )
  expect(encode(comparable(readAll(ours)))).toBe(encode(comparable(readAll(theirs!))))
})

test.each(Object.keys(commands))('%s: decoding and encoding gives the same bytes', vector => {
  const [theirs] = readVector(`nft/${vector}`).datagrams
  expect(encode(readAll(theirs!))).toBe(Buffer.from(theirs!).toString('hex'))
})

test('every vector has an operation of the library, and names its origin', () => {
  expect(Object.keys(said).toSorted()).toEqual(Object.keys(commands).toSorted())
  for (const vector of [...Object.keys(commands), 'dump']) {
    const { command, tool, kernel } = readVector(`nft/${vector}`)
    expect(command).toMatch(/^nft /)
    expect(tool).toMatch(/^nftables v\d/)
    expect(kernel).toMatch(/^Linux /)
  }
})
