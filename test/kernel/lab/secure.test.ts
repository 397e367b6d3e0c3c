import { afterAll, beforeAll, describe, expect } from 'vitest'
import type { DnsOptions } from '../../../src/dns/index.ts'
import { Authority, type Certificate } from '../../support/dns-certificates.ts'
import { SecureUpstream } from '../../support/dns-secure-upstream.ts'
import { address } from '../../support/dns-upstream.ts'
import { test } from '../../support/leaks.ts'
import { dig, openLab } from './dig.ts'

let authority: Authority
let right: Certificate

beforeAll(async () => {
  authority = await Authority.make()
  right = await authority.issue('DNS:dns.lab.test,IP:127.0.0.1')
})
afterAll(() => authority[Symbol.asyncDispose]())

type Protocol = 'tls' | 'https'

/** A forwarder with one upstream over TLS or HTTPS. */
async function lab(
  protocol: Protocol,
  { certificate = right, name = '#dns.lab.test', ...options }: LabOptions = {},
) {
  const upstream = await (protocol === 'tls'
    ? SecureUpstream.overTls(certificate)
    : SecureUpstream.overHttps(certificate))
  const path = protocol === 'tls' ? '' : '/dns-query'
  const notices: string[] = []
  const dns = await openLab({
    upstreams: [`${protocol}://127.0.0.1:${upstream.port}${path}${name}`],
    upstreamCa: authority.file,
    notice: text => notices.push(text),
    ...options,
  })
  const close = async () => {
    await dns.close()
    await upstream[Symbol.asyncDispose]()
  }
  return { dns, upstream, notices, [Symbol.asyncDispose]: close }
}

interface LabOptions extends DnsOptions {
  readonly certificate?: Certificate
  readonly name?: string
}

describe.each(['tls', 'https'] as const)('an upstream over %s', protocol => {
  test('is asked on one connection, with padded queries, and its answers are cached', async ({ census }) => {
    {
      await using open = await lab(protocol)
      const { dns, upstream } = open
      for (const name of ['a.example', 'much-longer-name.of-many-labels.example', 'a.example']) {
        expect(await dig(dns, name)).toMatchObject({
          status: 'NOERROR',
          answer: [`${name}. 300 A 192.0.2.1`],
        })
      }
      expect((await dig(dns, 'b.example', 'AAAA', '+tcp')).status).toBe('NOERROR')
      expect(upstream.queries.map(({ name, type }) => `${name} ${type}`)).toEqual([
        ...['a.example A', 'much-longer-name.of-many-labels.example A', 'b.example AAAA'],
      ])
      expect(upstream.connections).toBe(1)
      expect(upstream.queries.map(({ bytes }) => bytes.length)).toEqual([128, 128, 128])
      const { upstreams } = dns.snapshot()
      expect(upstreams).toMatchObject([
        { name: expect.stringMatching(`^${protocol}://127.0.0.1:`), answers: 3 },
      ])
      if (protocol === 'https')
        expect(upstream.queries[0]).toMatchObject({
          headers: { ':method': 'POST', ':path': '/dns-query', 'content-type': 'application/dns-message' },
        })
    }
    await census.expectUnchanged()
  })

  test('answers many questions at once', async () => {
    await using open = await lab(protocol)
    const names = Array.from({ length: 60 }, (_, i) => `n${i}.example`)
    const asked = names.map(async name => (await dig(open.dns, name, '+time=15')).status)
    expect(new Set(await Promise.all(asked))).toEqual(new Set(['NOERROR']))
    expect(new Set(open.upstream.queries.map(({ name }) => name)).size).toBe(60)
    expect(open.upstream.connections).toBeLessThanOrEqual(protocol === 'tls' ? 32 : 1)
  })

  test('that ends connections, before or after an answer, costs no answer; sessions are resumed', async () => {
    await using open = await lab(protocol)
    const { dns, upstream } = open
    expect((await dig(dns, 'first.example')).status).toBe('NOERROR')
    upstream.hangUp()
    expect((await dig(dns, 'second.example')).status).toBe('NOERROR')
    expect(upstream.connections).toBe(2)
    expect(upstream.resumed).toBe(1)
    let hangs = 1
    upstream.behave = () => (hangs-- > 0 ? 'hang up' : {})
    expect((await dig(dns, 'third.example')).status).toBe('NOERROR')
    upstream.behave = () => ({ closing: true })
    for (const name of ['fourth.example', 'fifth.example'])
      expect((await dig(dns, name)).status).toBe('NOERROR')
  })

  test('with its address in the certificate needs no name', async () => {
    await using open = await lab(protocol, { name: '' })
    expect((await dig(open.dns, 'a.example')).status).toBe('NOERROR')
  })

  test.each([
    ['of another name', () => authority.issue('DNS:other.lab.test'), /Hostname\/IP does not match/],
    ['of another authority', () => strange(), /unable to (verify|get)/i],
  ])(
    'with a certificate %s is refused: said once, SERVFAIL with an explanation',
    async (...[, issue, reason]) => {
      await using open = await lab(protocol, { certificate: await issue() })
      const { dns, upstream, notices } = open
      for (const name of ['a.example', 'b.example', 'c.example']) {
        const dug = await dig(dns, name)
        expect(dug).toMatchObject({ status: 'SERVFAIL', answer: [] })
        expect(dug.opt).toEqual([expect.stringMatching(/^EDE: 22 /)])
      }
      expect(notices).toEqual([expect.stringMatching(/^ask (tls|https):.* its certificate is refused: /)])
      expect(notices[0]).toMatch(reason)
      expect(upstream.queries).toEqual([])
    },
  )

  test('that is not there is SERVFAIL with an explanation', async () => {
    const gone = await lab(protocol)
    const { port } = gone.upstream
    await gone[Symbol.asyncDispose]()
    const path = protocol === 'tls' ? '' : '/dns-query'
    await using dns = await openLab({ upstreams: [`${protocol}://127.0.0.1:${port}${path}`] })
    const dug = await dig(dns, 'a.example')
    expect(dug).toMatchObject({ status: 'SERVFAIL' })
    expect(dug.opt).toEqual([expect.stringMatching(/^EDE: 23 /)])
  })

  test('that answers another question is SERVFAIL, and so is one that sends no DNS message', async () => {
    await using open = await lab(protocol)
    const { dns, upstream } = open
    upstream.behave = () => ({ body: Buffer.alloc(40, 0x11) })
    expect((await dig(dns, 'a.example', '+time=3')).status).toBe('SERVFAIL')
    upstream.behave = () => ({})
    expect((await dig(dns, 'b.example')).status).toBe('NOERROR')
  })
})

/** From an authority that is not trusted. */
async function strange(): Promise<Certificate> {
  await using other = await Authority.make()
  return await other.issue('DNS:dns.lab.test,IP:127.0.0.1')
}

describe('an upstream over HTTPS', () => {
  test.each([
    ['a status of 403', { status: 403 }],
    ['another type of content', { body: Buffer.from('<html>'), type: 'text/html' }],
    ['more than 65,535 bytes', { body: Buffer.alloc(70_000) }],
  ])('that answers with %s is SERVFAIL, and the next server is asked', async (_, reply) => {
    await using open = await lab('https')
    open.upstream.behave = () => reply
    expect((await dig(open.dns, 'a.example')).status).toBe('SERVFAIL')
    await using good = await lab('tls')
    const upstreams = [open, good].map(({ dns }) => dns.snapshot().upstreams[0]!.name)
    await using both = await openLab({ upstreams, upstreamCa: authority.file })
    expect((await dig(both, 'a.example')).status).toBe('NOERROR')
  })

  test('with an Age has TTLs that have counted down (RFC 8484 §5.1)', async () => {
    await using open = await lab('https')
    const answers = [address('a.example', '192.0.2.1', 300), address('a.example', '192.0.2.2', 50)]
    open.upstream.behave = () => ({ content: { answers }, headers: { age: '100' } })
    expect((await dig(open.dns, 'a.example')).answer).toEqual([
      'a.example. 200 A 192.0.2.1',
      'a.example. 0 A 192.0.2.2',
    ])
  })
})

test.each([
  ...['tls://', 'tls://dns.example', 'tls://192.0.2.1/path', 'tls://192.0.2.1:0', 'tls://192.0.2.1#a..b'],
  ...[
    'tls://192.0.2.1#192.0.2.1',
    'https://dns.example/dns-query',
    'https://192.0.2.1:70000/',
    'http://192.0.2.1/',
  ],
])('the upstream %s is refused', async upstream => {
  await expect(openLab({ upstreams: [upstream] })).rejects.toMatchObject({
    code: 'BAD_UPSTREAM',
    target: upstream,
  })
})

test.each(['/nowhere/ca.pem', '/etc/hostname', '/dev/null'])(
  'certificates in %s are refused',
  async upstreamCa => {
    await expect(openLab({ upstreamCa })).rejects.toMatchObject({ code: 'UPSTREAM_CA', target: upstreamCa })
  },
)
