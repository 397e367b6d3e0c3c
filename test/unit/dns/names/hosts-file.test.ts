import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { addressBytes, addressText, isAddress } from '../../../../src/base/index.ts'
import { parseAddress } from '../../../../src/dns/names/hosts-address.ts'
import { HostsParser } from '../../../../src/dns/names/hosts-file.ts'
import { reverseName } from '../../../../src/dns/names/reverse.ts'
import { nameBytes, nameKey, nameText } from '../../../../src/dns/wire/name.ts'
import { FakeUpstream, query } from '../../../support/dns-upstream.ts'
import { ask, askNow, forwarder, type Read } from '../asker.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'xcluster-dns-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

const hostOf = (i: number) => `10.${i >> 16}.${(i >> 8) & 255}.${i & 255} host-${i}.lab.example\n`
const many = (count: number) => Array.from({ length: count }, (_, i) => hostOf(i)).join('')
const fileOf = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text)
  return join(folder, name)
}

describe('a hosts file of 100,000 names', () => {
  test('lets queries wait until it has been read once, and then answers all of them', async () => {
    const hostsFile = fileOf('many', many(100_000))
    await using upstream = await FakeUpstream.open()
    await using resolver = forwarder([upstream], { hostsFile })
    const answers = await Promise.all(
      [0, 1, 65_536, 99_999].map(i => ask(resolver, query(`HOST-${i}.lab.example`))),
    )
    expect(answers.map(({ data }) => data[0])).toEqual(['10.0.0.0', '10.0.0.1', '10.1.0.0', '10.1.134.159'])
    expect(upstream.asked).toEqual([])
    const pointer = askNow(resolver, query(reverseName('10.1.134.159'), { type: 'PTR' }))
    expect(pointer).toMatchObject({ data: ['host-99999.lab.example'] })
    // Names between them exist: RFC 8020.
    expect(askNow(resolver, query('134.1.10.in-addr.arpa', { type: 'PTR' }))).toMatchObject({
      rcode: 'NOERROR',
      data: [],
    })
    expect(askNow(resolver, query('9.9.9.10.in-addr.arpa'))).toMatchObject({ rcode: 'NXDOMAIN' })
  })

  test('is read again while hundreds of other answers are given, from the earlier names until then', async () => {
    const hostsFile = fileOf('again', '192.0.2.1 host-7.lab.example\n')
    await using resolver = forwarder([], { hostsFile })
    writeFileSync(hostsFile, many(100_000))
    let over = false
    const reading = resolver.reload().then(() => {
      over = true
    })
    const before = (await ask(resolver, query('host-7.lab.example'))).data
    let turns = 0
    for (; !over; turns++) await new Promise(resolve => setImmediate(resolve))
    await reading
    expect(before).toEqual(['192.0.2.1'])
    expect(turns).toBeGreaterThan(100)
    expect(askNow(resolver, query('host-7.lab.example'))).toMatchObject({ data: ['10.0.0.7'] })
  })

  test('that changes while it is read is as it was at the last reload', async () => {
    const hostsFile = fileOf('twice', many(50_000))
    await using resolver = forwarder([], { hostsFile })
    writeFileSync(hostsFile, '192.0.2.2 host-7.lab.example\n')
    await resolver.reload()
    expect((await ask(resolver, query('host-7.lab.example'))).data).toEqual(['192.0.2.2'])
  })

  test('takes the memory of the reading before the last for the next', () => {
    const spare = parserOf(many(1000))
    const text = many(900).replaceAll('lab', 'new')
    const parser = parserOf(text, spare)
    expect(dataOf(parser, 'host-899.new.example')).toEqual(['10.0.3.131'])
    expect(dataOf(parser, 'host-7.lab.example')).toEqual([])
  })
})

describe('a hosts file that is bad input', () => {
  test('because it has 100 MB is not read, in words, and the earlier names stay', async () => {
    const notices: string[] = []
    const hostsFile = fileOf('large', '192.0.2.1 a.example\n')
    await using resolver = forwarder([], { hostsFile, notice: text => notices.push(text) })
    truncateSync(hostsFile, 100_000_000)
    await resolver.reload()
    expect(notices).toEqual([`${hostsFile} cannot be read: it has more than 64 MiB`])
    expect(askNow(resolver, query('a.example'))).toMatchObject({ data: ['192.0.2.1'] })
  })

  test('because it never ends is given up at the same size', async () => {
    const notices: string[] = []
    await using resolver = forwarder([], { hostsFile: '/dev/zero', notice: text => notices.push(text) })
    await resolver.reload()
    expect(notices).toEqual(['/dev/zero cannot be read: it has more than 64 MiB'])
  })

  test('with a line of 1 MB loses that line, in words, and no other', async () => {
    const notices: string[] = []
    const line = `192.0.2.2 ${'b.example '.repeat(100_000)}`
    const hostsFile = fileOf('long', `192.0.2.1 a.example\n${line}\n192.0.2.3 c.example\n${line}`)
    await using resolver = forwarder([], { hostsFile, notice: text => notices.push(text) })
    expect((await ask(resolver, query('c.example'))).data).toEqual(['192.0.2.3'])
    expect((askNow(resolver, query('a.example')) as Read).data).toEqual(['192.0.2.1'])
    expect(notices).toEqual([2, 4].map(n => `${hostsFile}: line ${n}: it has more than 65536 bytes`))
  })

  test('because it is a directory is reported', async () => {
    const notices: string[] = []
    await using resolver = forwarder([], { hostsFile: folder, notice: text => notices.push(text) })
    await resolver.reload()
    expect(notices).toEqual([expect.stringContaining('EISDIR')])
  })
})

test('names of a hosts file and those of a cluster are answered together', async () => {
  const hostsFile = fileOf(
    'both',
    '192.0.2.1 a.example x.vm-009\n192.0.2.2 *.wild.example\n192.0.2.9 b.example\n',
  )
  await using resolver = forwarder([], { hostsFile })
  resolver.setHosts({
    hosts: [
      { name: 'a.example', addresses: ['192.0.2.1', '192.0.2.3'] },
      { name: 'first.example', addresses: ['192.0.2.9'] },
      { name: '*.wild.example', addresses: ['192.0.2.4'] },
    ],
    ours: /^vm-\d+$/,
  })
  const look = (name: string, type = 'A') => askNow(resolver, query(name, { type })) as Read
  expect(look('a.example').data).toEqual(['192.0.2.1', '192.0.2.3'])
  expect(look('q.wild.example').data).toEqual(['192.0.2.4', '192.0.2.2'])
  expect(look(reverseName('192.0.2.9'), 'PTR').data).toEqual(['first.example'])
  // It exists: the file has a name below it.
  expect([look('vm-009').rcode, look('vm-008').rcode]).toEqual(['NOERROR', 'NXDOMAIN'])
})

function parserOf(text: string, spare?: HostsParser): HostsParser {
  const parser = new HostsParser(text.length, spare?.table)
  parser.push(Buffer.from(text))
  parser.end()
  return parser
}

const dataOf = ({ table }: HostsParser, name: string) =>
  (table.records(nameKey(nameBytes(name)!)) ?? []).map(({ data }) => addressText(data))

test('a hosts file has what a Map would have, in whatever pieces and of whatever size it comes', () => {
  const name = fc.stringMatching(/^[a-zA-Z0-9-]{1,20}(\.[a-z]{1,9}){0,3}$/)
  const v4 = fc.ipV4()
  const entry = fc.tuple(fc.oneof(v4, fc.ipV6()), name)
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 60 }), fc.integer({ min: 1, max: 99 }), (entries, piece) => {
      const parser = new HostsParser(0)
      const bytes = Buffer.from(entries.map(each => each.join('\t')).join('\n'))
      for (let at = 0; at < bytes.length; at += piece) parser.push(bytes.subarray(at, at + piece))
      parser.end()
      const byName = new Map<string, Set<string>>()
      const byAddress = new Map<string, string>()
      for (const [text, each] of entries) {
        const address = addressText(addressBytes(text))
        const key = each.toLowerCase()
        byName.set(key, (byName.get(key) ?? new Set()).add(address))
        if (!byAddress.has(address)) byAddress.set(address, key)
      }
      for (const [key, addresses] of byName) expect(dataOf(parser, key)).toEqual([...addresses])
      for (const [address, key] of byAddress) {
        const pointer = parser.table.records(nameKey(nameBytes(reverseName(address))!))!.at(-1)!
        expect(nameText(pointer.data)).toBe(`${key}.`)
      }
    }),
  )
})

test('addresses are read as the address parser reads them, or left to it', () => {
  const text = fc.oneof(fc.ipV4(), fc.ipV6(), fc.stringMatching(/^[0-9a-f:.]{1,20}$/), fc.string())
  fc.assert(
    fc.property(text, each => {
      const bytes = Buffer.from(each)
      const into = new Uint8Array(16)
      const length = parseAddress(bytes, { from: 0, to: bytes.length }, into)
      if (length > 0) {
        expect(isAddress(each)).toBe(true)
        expect([...into.subarray(0, length)]).toEqual([...addressBytes(each)])
      }
    }),
    { numRuns: 2000 },
  )
})
