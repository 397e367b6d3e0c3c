import { describe, expect, test } from 'vitest'
import { FakeUpstream, query } from '../../../support/dns-upstream.ts'
import { ask, askNow, extendedErrors, forwarder, type Read } from '../asker.ts'

/** A query for a.example, with a change. */
function changed(change: (bytes: Buffer) => Buffer, options = {}): Buffer {
  return change(query('a.example', options))
}

const set =
  (at: number, ...values: number[]) =>
  (bytes: Buffer) => {
    bytes.set(values, at)
    return bytes
  }
/** An OPT record: owner, type, size, extended rcode, version, flags, data. */
const opt = (version = 0, owner = [0], data: number[] = []) =>
  Buffer.from([...owner, 0, 41, 0x10, 0, 0, version, 0, 0, 0, data.length, ...data])
const with2 = (...parts: Buffer[]) =>
  changed(bytes => {
    bytes[11] = parts.length
    return Buffer.concat([bytes, ...parts])
  })
const soaRecord = Buffer.from([0xc0, 12, 0, 6, 0, 1, 0, 0, 0, 0, 0, 22, ...new Array<number>(22).fill(0)])
const ixfr = changed(
  bytes => {
    bytes[9] = 1
    return Buffer.concat([bytes, soaRecord])
  },
  { type: 'IXFR' },
)

describe('a DNS query that the forwarder answers by rule', () => {
  const cases: [string, Buffer, number][] = [
    ['an unknown opcode', changed(set(2, 0x28)), 4],
    ['no question', changed(set(5, 0)), 1],
    ['two questions', changed(set(5, 2)), 1],
    ['records in its answer section', changed(set(7, 1)), 1],
    ['more records than bytes', changed(set(10, 0xff, 0xff)), 1],
    ['a name that does not end', changed(bytes => bytes.subarray(0, 18)), 1],
    ['a pointer in the name', changed(set(12, 0xc0, 0x0c)), 1],
    ['a label of 64 bytes', changed(set(12, 64)), 1],
    ['bytes left over', changed(bytes => Buffer.concat([bytes, Buffer.alloc(1)])), 1],
    ['type OPT', query('a.example', { type: 'OPT' }), 1],
    ['two OPTs', with2(opt(), opt()), 1],
    ['an OPT that is not the root’s', with2(opt(0, [1, 97, 0])), 1],
    ['an option that is longer than its OPT', with2(opt(0, [0], [0, 10, 0, 9, 1])), 1],
    ['EDNS of another version', with2(opt(1)), 16],
    ['class CH', changed(bytes => set(bytes.length - 1, 3)(bytes)), 5],
    ['a zone transfer', query('a.example', { type: 'AXFR' }), 5],
    ['an incremental zone transfer, with its SOA', ixfr, 5],
  ]
  test.each(cases)('may have %s', (_, bytes, rcode) => {
    const resolver = forwarder([])
    const answer = askNow(resolver, bytes) as Read
    const upper =
      answer.additionals?.map(record => (record.type === 'OPT' ? record.extendedRcode : 0))[0] ?? 0
    expect((upper << 4) | answer.rcodeNumber).toBe(rcode)
    expect(answer).toMatchObject({ id: 0x1234, type: 'response', answers: [] })
    expect(resolver.counters).toMatchObject({ questions: 1, rejected: 1 })
  })

  test('gets an OPT record in its answer only when it had one itself', async () => {
    await using upstream = await FakeUpstream.open()
    await using resolver = forwarder([upstream])
    expect((await ask(resolver, query('a.example'))).additionals).toEqual([])
    const [record] = (await ask(resolver, query('a.example', { edns: 4096, dnssec: true }))).additionals!
    expect(record).toMatchObject({ type: 'OPT', name: '.', udpPayloadSize: 1232, flag_do: true, options: [] })
  })
})

test('EDNS options of the client and of the upstream are not passed on', async () => {
  await using upstream = await FakeUpstream.open(asked => {
    const answer = Buffer.concat([asked.bytes, opt(0, [0], [0, 10, 0, 2, 1, 2]).subarray(0, 0)])
    answer[2] = 0x81
    asked.reply(Buffer.concat([answer.subarray(0, -11), opt(0, [0], [0, 10, 0, 2, 1, 2])]))
  })
  await using resolver = forwarder([upstream])
  const cookie = with2(opt(0, [0], [0, 10, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8]))
  expect((await ask(resolver, cookie)).additionals).toMatchObject([{ type: 'OPT', options: [] }])
  expect(upstream.asked[0]!.packet.additionals).toMatchObject([{ udpPayloadSize: 1232, options: [] }])
})

test('unknown types, classes and data pass byte for byte', async () => {
  const data = Buffer.from([0, 255, 0xc0, 0x0c, 7, 0])
  await using upstream = await FakeUpstream.open(({ bytes, reply }) => {
    const answer = Buffer.concat([
      bytes.subarray(0, -11),
      Buffer.from([0xc0, 12, 0xff, 0x01, 0x0b, 0xcd, 0, 0, 1, 0, 0, 6]),
      data,
    ])
    answer[2] = 0x81
    answer[3] = 0x80
    answer[7] = 1
    answer[11] = 0
    reply(answer)
  })
  await using resolver = forwarder([upstream])
  const odd = changed(bytes => set(bytes.length - 4, 0xff, 0x01, 0x0b, 0xcd)(bytes))
  const first = await resolver.resolve(odd, { transport: 'udp', address: '::1', port: 1 })
  expect(Buffer.from(first!).subarray(odd.length + 12)).toEqual(data)
  const { bytes } = askNow(resolver, odd) as Read
  expect(bytes.subarray(odd.length + 12)).toEqual(data)
})

test('a failure is explained to clients that understand extended errors', async () => {
  await using resolver = forwarder([])
  const answer = await ask(resolver, query('a.example', { edns: 1232 }))
  expect(answer).toMatchObject({ rcode: 'SERVFAIL' })
  expect(extendedErrors(answer)).toEqual([22])
})
