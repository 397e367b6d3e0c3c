import { type Answer as Content, encode, type Packet } from 'dns-packet'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { answerOf, lifeOf } from '../../../../src/dns/wire/answer.ts'
import { type Message, readMessage } from '../../../../src/dns/wire/message.ts'
import { address, soa } from '../../../support/dns-upstream.ts'

const plain: Packet = {
  type: 'response',
  id: 7,
  flags: 0x8180,
  questions: [{ type: 'A', name: 'a.example' }],
}
const optRecord: Content = {
  type: 'OPT',
  name: '.',
  udpPayloadSize: 4096,
  flags: 0,
  extendedRcode: 0,
  ednsVersion: 0,
  flag_do: false,
  options: [],
}

function message(parts: {
  answers?: Content[]
  authorities?: Content[]
  additionals?: Content[]
  flags?: number
}): Message {
  return readMessage(encode({ ...plain, ...parts }))!
}

function keptBytes(parsed: Message): Buffer {
  const { wire, length } = answerOf(parsed, 3000)
  return wire.subarray(0, length)
}

const cname: Content = { type: 'CNAME', name: 'a.example', ttl: 50, data: 'b.example' }

describe('a DNS message', () => {
  test('has each record in its section', () => {
    const { records, rcode, opt } = message({
      answers: [cname, address('b.example')],
      authorities: [{ type: 'NS', name: 'example', ttl: 9, data: 'ns.example' }],
      additionals: [address('ns.example'), optRecord],
    })
    expect(records.map(({ section, type }) => `${section} ${type}`)).toEqual([
      'answer 5',
      'answer 1',
      'authority 2',
      'additional 1',
      'additional 41',
    ])
    expect(rcode).toBe(0)
    expect(opt).toBe(records.at(-1))
  })

  test('with an OPT record in a wrong place, or two of them, is malformed', () => {
    expect(message({ answers: [optRecord] })).toBeUndefined()
    expect(message({ additionals: [optRecord, optRecord] })).toBeUndefined()
    const bytes = encode({ ...plain, additionals: [optRecord] })
    const owned = Buffer.concat([bytes.subarray(0, -11), Buffer.of(0xc0, 12), bytes.subarray(-10)])
    expect(readMessage(bytes)).toBeDefined()
    expect(readMessage(owned)).toBeUndefined()
  })

  test('that is cut off anywhere is malformed, and one with bytes left over is read without them', () => {
    const whole = encode({ ...plain, answers: [cname, address('b.example')], additionals: [optRecord] })
    for (let length = 0; length < whole.length; length++)
      expect(readMessage(whole.subarray(0, length)), `${length} bytes`).toBeUndefined()
    const padded = readMessage(Buffer.concat([whole, Buffer.alloc(3, 0xff)]))!
    expect(keptBytes(padded)).toEqual(keptBytes(readMessage(whole)!))
  })

  test('of any bytes is parsed within them, or malformed', () => {
    const whole = encode({ ...plain, answers: [cname, address('b.example')], additionals: [optRecord] })
    const damaged = fc
      .array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { maxLength: 8 })
      .map(changes => {
        const bytes = Buffer.from(whole)
        for (const [at, value] of changes) bytes[at] = value
        return bytes
      })
    const any = fc.uint8Array({ maxLength: 600 }).map(bytes => Buffer.from(bytes))
    fc.assert(
      fc.property(fc.oneof(damaged, any), bytes => {
        const walked = readMessage(bytes)
        if (!walked) return
        expect(walked.records.at(-1)?.end ?? walked.questionEnd).toBeLessThanOrEqual(bytes.length)
        const answer = answerOf(walked, 3000)
        const { seconds } = lifeOf(walked, answer)
        expect(seconds).toBeGreaterThanOrEqual(0)
        expect(seconds).toBeLessThanOrEqual(3000)
        // A stored answer can be parsed again, and is then the same.
        const again = readMessage(answer.wire)
        expect(again).toBeDefined()
        expect(answerOf(again!, 3000).wire).toEqual(answer.wire)
      }),
      { numRuns: 2000 },
    )
  })
})

describe('a stored DNS answer', () => {
  test('has no OPT, AA or TC, has RA, and has limited TTLs', () => {
    const kept = answerOf(
      message({
        answers: [address('a.example', '192.0.2.1', 9999)],
        additionals: [optRecord],
        flags: 0x0600,
      }),
      3000,
    )
    const [flags, flags2] = kept.wire.subarray(2, 4)
    expect([flags! & 0x06, flags2! & 0x80]).toEqual([0, 0x80])
    const walked = readMessage(kept.wire)!
    expect(walked.opt).toBeUndefined()
    expect(walked.records).toHaveLength(1)
    expect(kept.wire.readUInt32BE(kept.ttls[0]!)).toBe(3000)
  })

  test('ends at an OPT record that is not the last', () => {
    const kept = answerOf(
      message({
        answers: [address('a.example')],
        additionals: [address('x.example'), optRecord, address('y.example')],
      }),
      3000,
    )
    expect(readMessage(kept.wire)!.records).toHaveLength(2)
  })

  test('is SERVFAIL when its Rcode needs an OPT record', () => {
    const bytes = encode({ ...plain, additionals: [{ ...optRecord, extendedRcode: 1 } as Content] })
    expect(readMessage(bytes)!.rcode).toBe(16)
    const kept = answerOf(readMessage(bytes)!, 3000)
    expect(kept.rcode).toBe(2)
    expect(kept.wire[3]! & 15).toBe(2)
  })
})

describe('the time for which a DNS answer is cached', () => {
  const life = (parts: Parameters<typeof message>[0]) => {
    const walked = message(parts)
    return lifeOf(walked, answerOf(walked, 3000))
  }
  const zone = soa('example', { ttl: 100, minimum: 40 })
  const ns: Content = { type: 'NS', name: 'example', ttl: 70, data: 'ns.example' }

  const lives: [string, Parameters<typeof message>[0], number, boolean][] = [
    ['several TTLs: the smallest', { answers: [cname, address('b.example')] }, 50, false],
    [
      'an authority section: the smallest TTL in it too',
      { answers: [address('a.example')], authorities: [ns] },
      70,
      false,
    ],
    ['a long TTL: the configured limit', { answers: [address('a.example', '192.0.2.1', 9999)] }, 3000, false],
    ['no such name: the SOA’s minimum', { flags: 0x8183, authorities: [zone] }, 40, true],
    [
      'no such name: the SOA’s TTL',
      { flags: 0x8183, authorities: [soa('example', { ttl: 30, minimum: 40 })] },
      30,
      true,
    ],
    [
      'no such name at the end of a CNAME',
      { flags: 0x8183, answers: [{ ...cname, ttl: 20 }], authorities: [zone] },
      20,
      true,
    ],
    ['no data: the SOA’s minimum', { authorities: [zone] }, 40, true],
    ['no data without SOA: 0', {}, 0, true],
    ['a referral: 0', { authorities: [ns] }, 0, true],
    ['REFUSED: 0', { flags: 0x8185, authorities: [zone] }, 0, false],
    [
      'a TTL with its highest bit set: 0',
      { answers: [address('a.example', '192.0.2.1', 0x80000000)] },
      0,
      false,
    ],
  ]
  test.each(lives)('is right for %s', (...[, parts, seconds, negative]) => {
    expect(life(parts)).toEqual({ seconds, negative })
  })
})
