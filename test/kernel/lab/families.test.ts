import type { Answer } from 'dns-packet'
import { describe, expect } from 'vitest'
import type { DnsOptions } from '../../../src/dns/index.ts'
import { reverseName } from '../../../src/dns/names/reverse.ts'
import { address, answerTo, type Content, FakeUpstream, soa } from '../../support/dns-upstream.ts'
import { test } from '../../support/leaks.ts'
import { dig, openLab } from './dig.ts'

type Zone = Readonly<Record<string, Content>>

/** A forwarder whose upstream has these answers, by `name type`; all other names have no data. */
async function lab(zone: Zone, options: DnsOptions) {
  const upstream = await FakeUpstream.open(asked => {
    const negative = { authorities: [soa('example', { ttl: 120, minimum: 100 })] }
    asked.reply(answerTo(asked, zone[`${asked.name} ${asked.type}`] ?? negative))
  })
  const dns = await openLab({ upstreams: [upstream.address], ...options })
  dns.setHosts({ hosts: [{ name: 'own.lab.test', addresses: ['198.51.100.9', '2001:db8::9'] }] })
  const close = async () => {
    await dns.close()
    await upstream[Symbol.asyncDispose]()
  }
  return { dns, upstream, [Symbol.asyncDispose]: close }
}

const cname = (name: string, data: string) => ({ type: 'CNAME', name, data, ttl: 50 }) as const
const v4 = '198.51.100.1'
const v6 = '2001:db8::1'
const both: Zone = {
  'both.example A': { answers: [address('both.example', v4)] },
  'both.example AAAA': { answers: [address('both.example', v6)] },
  'alias.example A': { answers: [cname('alias.example', 'both.example'), address('both.example', v4)] },
  'alias.example AAAA': { answers: [cname('alias.example', 'both.example'), address('both.example', v6)] },
  'no.example AAAA': { rcode: 3, authorities: [soa('example', { ttl: 120, minimum: 100 })] },
}

describe.each(['+notcp', '+tcp'])('filtered addresses, asked with dig %s:', transport => {
  test.each([
    ['aaaa', 'AAAA', 'A', v4],
    ['a', 'A', 'AAAA', v6],
  ] as const)('with %s no %s is given, aliases and all else are', async (...[filter, gone, kept, data]) => {
    await using open = await lab(both, { filter })
    const { dns } = open
    for (const _ of ['asked', 'cached']) {
      expect(await dig(dns, 'both.example', gone, transport)).toMatchObject({ status: 'NOERROR', answer: [] })
      expect(await dig(dns, 'alias.example', gone, transport)).toMatchObject({
        status: 'NOERROR',
        answer: ['alias.example. 50 CNAME both.example.'],
      })
      const alias = await dig(dns, 'alias.example', kept, transport)
      expect(alias.answer.at(-1)).toBe(`both.example. 300 ${kept} ${data}`)
      expect(await dig(dns, 'own.lab.test', gone, transport)).toMatchObject({ status: 'NOERROR', answer: [] })
      expect((await dig(dns, 'own.lab.test', kept, transport)).answer).toHaveLength(1)
    }
  })

  test('a name that does not exist stays so', async () => {
    await using open = await lab(both, { filter: 'aaaa' })
    expect(await dig(open.dns, 'no.example', 'AAAA', transport)).toMatchObject({ status: 'NXDOMAIN' })
  })
})

test('signed answers are not filtered for a client that validates', async () => {
  const signature = {
    ...{ type: 'RRSIG', name: 'both.example', ttl: 300 },
    data: {
      ...{ typeCovered: 'AAAA', algorithm: 13, labels: 2, originalTTL: 300, expiration: 2e9, inception: 1e9 },
      ...{ keyTag: 1, signersName: 'example', signature: Buffer.alloc(64) },
    },
  } as const
  const answers = [address('both.example', v6), signature as unknown as Answer]
  await using open = await lab({ 'both.example AAAA': { answers } }, { filter: 'aaaa' })
  expect((await dig(open.dns, 'both.example', 'AAAA', '+dnssec')).answer).toHaveLength(2)
  expect((await dig(open.dns, 'both.example', 'AAAA')).answer).toEqual([])
})

const zone: Zone = {
  ...both,
  'v4.example A': { answers: [address('v4.example', v4, 90), address('v4.example', '192.0.2.33', 300)] },
  'to4.example A': { answers: [cname('to4.example', 'v4.example'), address('v4.example', v4)] },
  'to4.example AAAA': {
    answers: [cname('to4.example', 'v4.example')],
    authorities: [soa('example', { ttl: 120, minimum: 100 })],
  },
  'mapped.example AAAA': { answers: [address('mapped.example', '::ffff:198.51.100.7')] },
  'mapped.example A': { answers: [address('mapped.example', v4)] },
  'mixed.example AAAA': {
    answers: [address('mixed.example', '::ffff:198.51.100.7'), address('mixed.example', v6)],
  },
  'failing.example AAAA': { rcode: 2 },
  'failing.example A': { answers: [address('failing.example', v4, 3000)] },
  'private.example A': { answers: [address('private.example', '192.168.0.1')] },
  '1.100.51.198.in-addr.arpa PTR': {},
  '1.113.0.203.in-addr.arpa PTR': {},
  '8.8.8.8.in-addr.arpa PTR': {
    answers: [{ type: 'PTR', name: '8.8.8.8.in-addr.arpa', ttl: 70, data: 'dns.example' }],
  },
}

describe.each(['+notcp', '+tcp'])('DNS64, asked with dig %s:', transport => {
  test.each([
    // The TTL is the A record's, or that of the SOA of "no such data" (RFC 6147 §5.1.7).
    ['v4.example', ['v4.example. 90 AAAA 64:ff9b::c633:6401', 'v4.example. 100 AAAA 64:ff9b::c000:221']],
    ['both.example', [`both.example. 300 AAAA ${v6}`]],
    ['to4.example', ['to4.example. 50 CNAME v4.example.', 'v4.example. 100 AAAA 64:ff9b::c633:6401']],
    ['mapped.example', ['mapped.example. 300 AAAA 64:ff9b::c633:6401']],
    ['mixed.example', [`mixed.example. 300 AAAA ${v6}`]],
    ['failing.example', ['failing.example. 600 AAAA 64:ff9b::c633:6401']],
    // The well-known prefix is not for private addresses (RFC 6052 §3.1).
    ['private.example', []],
    ['nothing.example', []],
  ])('%s AAAA', async (name, answer) => {
    await using open = await lab(zone, { dns64: {} })
    expect(await dig(open.dns, name, 'AAAA', transport)).toMatchObject({ status: 'NOERROR', answer })
  })

  test('a name that does not exist stays so, and its A is not asked for', async () => {
    await using open = await lab(zone, { dns64: {} })
    expect(await dig(open.dns, 'no.example', 'AAAA', transport)).toMatchObject({ status: 'NXDOMAIN' })
    expect(open.upstream.asked).toHaveLength(1)
  })

  test('a client that validates by itself gets what there is; one that only asks for DNSSEC does not', async () => {
    await using open = await lab(zone, { dns64: {} })
    expect(await dig(open.dns, 'v4.example', 'AAAA', '+dnssec', '+cd', transport)).toMatchObject({
      answer: [],
    })
    for (const asked of ['+dnssec', '+cd'])
      expect((await dig(open.dns, 'v4.example', 'AAAA', asked, transport)).answer).toHaveLength(2)
  })

  test('a prefix of the own network, for private addresses too, and addresses that count as missing', async () => {
    const dns64 = { prefix: '2001:db8:64::/48', exclude: ['2001:db8::/64'] }
    await using open = await lab(zone, { dns64 })
    const answer = async (name: string) => (await dig(open.dns, name, 'AAAA', transport)).answer
    expect(await answer('private.example')).toEqual(['private.example. 100 AAAA 2001:db8:64:c0a8:0:100::'])
    expect(await answer('both.example')).toEqual(['both.example. 300 AAAA 2001:db8:64:c633:64:100::'])
  })

  test('reverse names of the prefix are aliases of those of IPv4', async () => {
    await using open = await lab(zone, { dns64: {} })
    const name = reverseName('64:ff9b::8.8.8.8')
    expect(await dig(open.dns, '-x', '64:ff9b::8.8.8.8', transport)).toMatchObject({
      status: 'NOERROR',
      answer: [`${name}. 600 CNAME 8.8.8.8.in-addr.arpa.`, '8.8.8.8.in-addr.arpa. 70 PTR dns.example.'],
    })
    // Own names and special ones are found so too: 198.51.100.9 is one's own.
    const own = await dig(open.dns, '-x', '64:ff9b::198.51.100.9', transport)
    expect(own.answer.at(-1)).toBe('9.100.51.198.in-addr.arpa. 5 PTR own.lab.test.')
    expect((await dig(open.dns, '-x', '64:ff9b:2::1', transport)).answer).toEqual([])
  })
})

test('DNS64 with A filtered leaves IPv6 alone', async () => {
  await using open = await lab(zone, { dns64: {}, filter: 'a' })
  expect(await dig(open.dns, 'v4.example', 'A')).toMatchObject({ status: 'NOERROR', answer: [] })
  expect((await dig(open.dns, 'v4.example', 'AAAA')).answer).toHaveLength(2)
})

test.each(['64:ff9b::', '64:ff9b::/97', '64:ff9b::1/96', '192.0.2.0/24', '2001:db8:0:0:ff00::/96', 'x'])(
  'the NAT64 prefix %s is refused',
  async prefix => {
    await expect(openLab({ dns64: { prefix } })).rejects.toMatchObject({ code: 'BAD_PREFIX', target: prefix })
  },
)
