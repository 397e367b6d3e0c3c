import { describe, expect } from 'vitest'
import type { OwnEntry } from '../../../src/dns/index.ts'
import { address, answerTo, FakeUpstream } from '../../support/dns-upstream.ts'
import { test } from '../../support/leaks.ts'
import { dig, openLab } from './dig.ts'

const records: readonly OwnEntry[] = [
  { name: 'web.lab.test', type: 'A', data: '192.0.2.80', ttl: 60 },
  { name: 'web.lab.test', type: 'aaaa', data: '2001:db8::80' },
  { name: '_http._tcp.web.lab.test', type: 'SRV', data: '0 5 80 web.lab.test' },
  { name: 'lab.test', type: 'MX', data: '10 mail.lab.test' },
  { name: 'lab.test', type: 'TXT', data: '"v=spf1 -all" "a \\"b\\" \\228"' },
  { name: 'long.lab.test', type: 'TXT', data: 'x'.repeat(300) },
  { name: 'text.lab.test', type: 'TXT', data: 'hello, world; all of it' },
  { name: 'lab.test', type: 'CAA', data: '0 issue "ca.lab.test"' },
  { name: 'any.lab.test', type: 'TYPE65280', data: '\\# 4 0a00 0001' },
  { name: '192.0.2.99', type: 'PTR', data: 'other.lab.test' },
  { name: 'www.lab.test', type: 'CNAME', data: 'alias.lab.test', ttl: 30 },
  { name: 'alias.lab.test', type: 'CNAME', data: 'web.lab.test' },
  { name: 'gone.lab.test', type: 'CNAME', data: 'nothing.lab.test' },
  { name: 'out.lab.test', type: 'CNAME', data: 'www.outside.test' },
  { name: 'one.loop.test', type: 'CNAME', data: 'two.loop.test' },
  { name: 'two.loop.test', type: 'CNAME', data: 'one.loop.test' },
  { name: '*.apps.lab.test', type: 'A', data: '192.0.2.81' },
  { name: '*.cn.lab.test', type: 'CNAME', data: 'web.lab.test' },
  { name: 'own.apps.lab.test', type: 'TXT', data: 'exact' },
]

describe.each(['+notcp', '+tcp'])('own records, asked with dig %s:', transport => {
  test.each([
    ['web.lab.test', 'A', ['web.lab.test. 60 A 192.0.2.80']],
    ['WEB.lab.test', 'AAAA', ['WEB.lab.test. 5 AAAA 2001:db8::80']],
    ['_http._tcp.web.lab.test', 'SRV', ['_http._tcp.web.lab.test. 5 SRV 0 5 80 web.lab.test.']],
    ['lab.test', 'MX', ['lab.test. 5 MX 10 mail.lab.test.']],
    ['lab.test', 'TXT', ['lab.test. 5 TXT "v=spf1 -all" "a \\"b\\" \\228"']],
    ['long.lab.test', 'TXT', [`long.lab.test. 5 TXT "${'x'.repeat(255)}" "${'x'.repeat(45)}"`]],
    ['text.lab.test', 'TXT', ['text.lab.test. 5 TXT "hello, world; all of it"']],
    ['lab.test', 'CAA', ['lab.test. 5 CAA 0 issue "ca.lab.test"']],
    ['any.lab.test', 'TYPE65280', ['any.lab.test. 5 TYPE65280 \\# 4 0A000001']],
    ['99.2.0.192.in-addr.arpa', 'PTR', ['99.2.0.192.in-addr.arpa. 5 PTR other.lab.test.']],
    ['80.2.0.192.in-addr.arpa', 'PTR', ['80.2.0.192.in-addr.arpa. 5 PTR web.lab.test.']],
    [
      'www.lab.test',
      'A',
      [
        'www.lab.test. 30 CNAME alias.lab.test.',
        'alias.lab.test. 5 CNAME web.lab.test.',
        'web.lab.test. 60 A 192.0.2.80',
      ],
    ],
    ['www.lab.test', 'CNAME', ['www.lab.test. 30 CNAME alias.lab.test.']],
    ['a.b.apps.lab.test', 'A', ['a.b.apps.lab.test. 5 A 192.0.2.81']],
    ['x.cn.lab.test', 'A', ['x.cn.lab.test. 5 CNAME web.lab.test.', 'web.lab.test. 60 A 192.0.2.80']],
  ])('%s %s', async (name, type, expected) => {
    await using dns = await openLab()
    dns.setHosts({ hosts: [], records, domains: ['lab.test'] })
    const dug = await dig(dns, name, type, transport)
    expect(dug).toMatchObject({ status: 'NOERROR', answer: expected })
    expect(dug.flags).toContain('aa')
  })

  test.each([
    ['own.apps.lab.test', 'A', { status: 'NOERROR', answer: [] }],
    ['apps.lab.test', 'A', { status: 'NOERROR', answer: [] }],
    ['_tcp.web.lab.test', 'SRV', { status: 'NOERROR', answer: [] }],
    [
      'www.lab.test',
      'MX',
      {
        status: 'NOERROR',
        answer: ['www.lab.test. 30 CNAME alias.lab.test.', 'alias.lab.test. 5 CNAME web.lab.test.'],
      },
    ],
    ['gone.lab.test', 'A', { status: 'NXDOMAIN', answer: ['gone.lab.test. 5 CNAME nothing.lab.test.'] }],
    ['none.lab.test', 'SRV', { status: 'NXDOMAIN', answer: [] }],
  ])('%s %s has no data, and an SOA', async (name, type, expected) => {
    await using dns = await openLab()
    dns.setHosts({ hosts: [], records, domains: ['lab.test'] })
    const dug = await dig(dns, name, type, transport)
    expect(dug).toMatchObject(expected)
    expect(dug.authority).toEqual([expect.stringMatching(/ 5 SOA /)])
  })

  test('a loop of aliases is SERVFAIL', async () => {
    await using dns = await openLab()
    dns.setHosts({ hosts: [], records })
    expect(await dig(dns, 'one.loop.test', transport)).toMatchObject({ status: 'SERVFAIL', answer: [] })
  })

  test('an alias of a name outside has the answer of its upstream, with TTLs that count down', async () => {
    await using upstream = await FakeUpstream.open(asked =>
      asked.reply(
        asked.name === 'www.outside.test'
          ? answerTo(asked, { answers: [address(asked.name, '198.51.100.1', 300)] })
          : answerTo(asked, { rcode: 3 }),
      ),
    )
    await using dns = await openLab({ upstreams: [upstream.address] })
    dns.setHosts({ hosts: [], records, domains: ['lab.test'] })
    const expected = ['out.lab.test. 5 CNAME www.outside.test.', 'www.outside.test. 300 A 198.51.100.1']
    expect(await dig(dns, 'out.lab.test', transport)).toMatchObject({ status: 'NOERROR', answer: expected })
    expect(await dig(dns, 'out.lab.test', transport)).toMatchObject({ status: 'NOERROR' })
    expect(upstream.asked.map(({ name }) => name)).toEqual(['www.outside.test'])
    dns.setHosts({ hosts: [], records: [{ name: 'out.lab.test', type: 'CNAME', data: 'no.outside.test' }] })
    expect(await dig(dns, 'out.lab.test', transport)).toMatchObject({
      status: 'NXDOMAIN',
      answer: ['out.lab.test. 5 CNAME no.outside.test.'],
    })
  })
})

test('records for some askers take the place of all data of the name, for them alone', async () => {
  await using dns = await openLab({ listen: ['127.0.0.1:0'] })
  dns.setHosts({
    hosts: [{ name: 'api.lab.test', addresses: ['192.0.2.1', '2001:db8::1'] }],
    records: [
      { name: 'api.lab.test', type: 'A', data: '192.0.2.2', askers: ['127.0.0.2'] },
      { name: 'alias.lab.test', type: 'CNAME', data: 'api.lab.test', askers: ['127.0.0.2', '127.0.0.3/32'] },
      { name: 'api.lab.test', type: 'A', data: '192.0.2.3', askers: ['127.0.0.0/30'] },
    ],
    domains: ['lab.test'],
  })
  const seen = async (from: string, ...words: string[]) => (await dig(dns, '-b', from, ...words)).answer
  for (const transport of ['+notcp', '+tcp']) {
    expect(await seen('127.0.0.9', 'api.lab.test', transport)).toEqual(['api.lab.test. 5 A 192.0.2.1'])
    expect(await seen('127.0.0.2', 'api.lab.test', transport)).toEqual(['api.lab.test. 5 A 192.0.2.2'])
    expect(await seen('127.0.0.3', 'api.lab.test', transport)).toEqual(['api.lab.test. 5 A 192.0.2.3'])
    expect(await seen('127.0.0.2', 'api.lab.test', 'AAAA', transport)).toEqual([])
    expect(await seen('127.0.0.9', 'api.lab.test', 'AAAA', transport)).toHaveLength(1)
    expect(await seen('127.0.0.2', 'alias.lab.test', transport)).toEqual([
      'alias.lab.test. 5 CNAME api.lab.test.',
      'api.lab.test. 5 A 192.0.2.2',
    ])
    expect(await dig(dns, '-b', '127.0.0.9', 'alias.lab.test')).toMatchObject({ status: 'NXDOMAIN' })
  }
})

test.each([
  [{ name: '', type: 'A', data: '192.0.2.1' }, "'' is not a valid name"],
  [{ name: 'a..b', type: 'A', data: '192.0.2.1' }, 'is not a valid name'],
  [{ name: 'a.*.b', type: 'A', data: '192.0.2.1' }, 'is not a valid name'],
  [{ name: 'a b', type: 'A', data: '192.0.2.1' }, 'is not a valid name'],
  [{ name: `${'a'.repeat(64)}.test`, type: 'A', data: '192.0.2.1' }, 'is not a valid name'],
  [{ name: 'a.test', type: 'B', data: '192.0.2.1' }, "'B' is not a type"],
  [{ name: 'a.test', type: 'ANY', data: '192.0.2.1' }, "'ANY' is not a type"],
  [{ name: 'a.test', type: 'OPT', data: '\\# 0' }, "'OPT' is not a type"],
  [{ name: 'a.test', type: 'A', data: '192.0.2.256' }, 'is not valid data'],
  [{ name: 'a.test', type: 'A', data: '2001:db8::1' }, 'is not valid data'],
  [{ name: 'a.test', type: 'SRV', data: '0 5 web.lab.test' }, 'is not valid data'],
  [{ name: 'a.test', type: 'SRV', data: '0 5 70000 web.lab.test' }, 'is not valid data'],
  [{ name: 'a.test', type: 'MX', data: 'mail.lab.test' }, 'is not valid data'],
  [{ name: 'a.test', type: 'CNAME', data: 'two names' }, 'is not valid data'],
  [{ name: 'a.test', type: 'TXT', data: '"open' }, 'is not valid data'],
  [{ name: 'a.test', type: 'TXT', data: 'x'.repeat(70_000) }, 'is not valid data'],
  [{ name: 'a.test', type: 'TYPE65280', data: '\\# 4 0a' }, 'is not valid data'],
  [{ name: 'a.test', type: 'A', data: '192.0.2.1', ttl: -1 }, 'is not a TTL'],
  [{ name: 'a.test', type: 'A', data: '192.0.2.1', askers: ['vm-1'] }, "'vm-1' is not an address"],
])('a wrong record is refused: %o', async (record, text) => {
  await using dns = await openLab()
  const good = { name: 'good.test', type: 'A', data: '192.0.2.1' }
  dns.setHosts({ hosts: [], records: [good] })
  expect(() => dns.setHosts({ hosts: [], records: [record] })).toThrow(
    expect.objectContaining({ code: 'BAD_RECORD', reason: expect.stringContaining(text) }) as Error,
  )
  await dns.reload()
  expect(await dig(dns, 'good.test')).toMatchObject({ answer: ['good.test. 5 A 192.0.2.1'] })
})
