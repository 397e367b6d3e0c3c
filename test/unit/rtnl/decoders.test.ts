import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { DecodeError, Reader, Writer } from '../../../src/base/index.ts'
import { type Body, messages, readAck, readDone } from '../../../src/netlink/index.ts'
import * as wire from '../../../src/rtnl/wire/index.ts'
import { readVector } from '../../support/vectors.ts'

const bodies: Record<string, Pick<Body<unknown>, 'read'>> = {
  link: wire.linkMessage,
  port: wire.portMessage,
  address: wire.addressMessage,
  route: wire.routeMessage,
  neighbour: wire.neighbourMessage,
  rule: wire.ruleMessage,
  traffic: wire.trafficMessage,
  ack: { read: body => readAck({ body, flags: 0x300 }) },
  done: { read: body => readDone({ body, flags: 0x300 }) },
}

function valueOrDecodeError(read: () => unknown): void {
  try {
    read()
  } catch (failure) {
    expect(failure).toBeInstanceOf(DecodeError)
  }
}

test.each(Object.entries(bodies))('%s: any bytes decode to a value or throw DecodeError', async (_, body) => {
  await fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), bytes =>
      valueOrDecodeError(() => body.read(new Reader(bytes))),
    ),
    { numRuns: 500 },
  )
})

/**
 * Attributes with plausible types and lengths, some nested: they reach deeper into the tables than random
 * bytes do.
 */
const { attribute } = fc.letrec<{ attribute: Uint8Array }>(tie => ({
  attribute: fc
    .tuple(
      fc.nat(64),
      fc.oneof(
        { depthSize: 'small' },
        fc.uint8Array({ maxLength: 24 }),
        fc.array(tie('attribute'), { maxLength: 4 }),
      ),
    )
    .map(([type, inside]) => {
      const out = new Writer()
      const payload = inside instanceof Uint8Array ? inside : Buffer.concat(inside)
      out.u16(payload.length + 4)
      out.u16(type)
      out.put(payload)
      out.align(4)
      return out.done()
    }),
}))

test.each(Object.entries(bodies))(
  '%s: well-formed attributes with any contents decode to a value or throw DecodeError',
  async (_, body) => {
    await fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 16, maxLength: 16 }),
        fc.array(attribute),
        (header, attributes) =>
          valueOrDecodeError(() => body.read(new Reader(Buffer.concat([header, ...attributes])))),
      ),
      { numRuns: 500 },
    )
  },
)

const dumps: [vector: string, type: number, body: Pick<Body<unknown>, 'read'>][] = [
  ['link-dump', wire.RTM_NEWLINK, wire.linkMessage],
  ['neighbour-dump', wire.RTM_NEWNEIGH, wire.neighbourMessage],
  ['rule-dump', wire.RTM_NEWRULE, wire.ruleMessage],
  ['qdisc-dump', wire.RTM_NEWQDISC, wire.trafficMessage],
  ['filter-dump', wire.RTM_NEWTFILTER, wire.trafficMessage],
]

test.each(dumps)(
  '%s: a real answer with any byte changed, or truncated, decodes to a value or throws DecodeError',
  async (vector, type, body) => {
    const datagram = readVector(`rtnl/${vector}`).datagrams.find(bytes =>
      [...messages(bytes)].some(message => message.type === type),
    )!
    const read = (bytes: Uint8Array) =>
      valueOrDecodeError(() => {
        for (const message of messages(bytes)) if (message.type === type) body.read(message.body)
      })
    await fc.assert(
      fc.property(fc.nat(datagram.length - 1), fc.nat(255), (at, value) => {
        read(datagram.with(at, value))
        read(datagram.subarray(0, at))
      }),
      { numRuns: 500 },
    )
  },
)
