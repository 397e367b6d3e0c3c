import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { addressText } from '../../../../src/base/index.ts'
import { later, type OwnHosts } from '../../../../src/dns/index.ts'
import { HostsParser } from '../../../../src/dns/names/hosts-file.ts'
import { reverseName } from '../../../../src/dns/names/reverse.ts'
import { nameBytes, nameKey } from '../../../../src/dns/wire/name.ts'
import { FakeUpstream, query } from '../../../support/dns-upstream.ts'
import { ask, askNow, forwarder, type Read } from '../asker.ts'

const cluster = (...nodes: number[]): OwnHosts => ({
  hosts: nodes.flatMap(n => {
    const name = `vm-${String(n).padStart(3, '0')}`
    return [
      { name, addresses: [`192.168.0.${n}`, `fd00::c0a8:${n.toString(16)}`] },
      { name: `${name}.1`, addresses: [`192.168.1.${n}`] },
    ]
  }),
  ours: /^vm-\d+(\.\d+)?$/,
  nets: ['192.168.0.0/24', '192.168.1.0/24', 'fd00::c0a8:0/120'],
})

const look = (resolver: ReturnType<typeof forwarder>, name: string, type = 'A') => {
  const answer = askNow(resolver, query(name, { type }))
  return answer === later ? 'later' : (answer as Read)
}

describe("the cluster's names", () => {
  const resolver = forwarder([])
  resolver.setHosts(cluster(1, 2, 201))

  test.each([
    ['vm-001', 'A', ['192.168.0.1']],
    ['VM-001', 'A', ['192.168.0.1']],
    ['vm-002', 'AAAA', ['fd00::c0a8:2']],
    ['vm-201.1', 'A', ['192.168.1.201']],
    ['vm-001', 'ANY', ['192.168.0.1', 'fd00::c0a8:1']],
    ['2.0.168.192.in-addr.arpa', 'PTR', ['vm-002']],
    ['201.1.168.192.in-addr.arpa', 'PTR', ['vm-201.1']],
    [reverseName('fd00::c0a8:1'), 'PTR', ['vm-001']],
  ])('answer %s %s with %j', (name, type, data) => {
    expect(look(resolver, name, type)).toMatchObject({ rcode: 'NOERROR', flag_aa: true, data })
  })

  test.each([
    ['vm-001', 'MX'],
    ['vm-001.1', 'AAAA'],
  ])('answer that %s has no %s, with a TTL', (name, type) => {
    expect(look(resolver, name, type)).toMatchObject({
      rcode: 'NOERROR',
      data: [],
      authorities: [{ type: 'SOA', ttl: 5, data: { minimum: 5 } }],
    })
  })

  test.each(['vm-003', 'vm-1', '9.0.168.192.in-addr.arpa', reverseName('fd00::c0a8:9')])(
    'answer that %s does not exist, without asking an upstream',
    name => {
      expect(look(resolver, name)).toMatchObject({ rcode: 'NXDOMAIN' })
    },
  )

  test.each(['vm', 'vm-001.example.org', '1.2.18.198.in-addr.arpa'])('do not include %s', name => {
    expect(look(resolver, name)).toBe('later')
  })

  test('come and go with the nodes', async () => {
    await using upstream = await FakeUpstream.open()
    await using changing = forwarder([upstream])
    expect(await ask(changing, query('vm-007'))).toMatchObject({ data: ['192.0.2.1'] })
    changing.setHosts(cluster(7))
    expect(look(changing, 'vm-007')).toMatchObject({ data: ['192.168.0.7'] })
    changing.setHosts(cluster(8))
    expect(look(changing, 'vm-007')).toMatchObject({ rcode: 'NXDOMAIN' })
    expect(look(changing, 'vm-008')).toMatchObject({ data: ['192.168.0.8'] })
    changing.setHosts({ hosts: [] })
    expect(look(changing, 'vm-007')).toBe('later')
  })
})

test('a spoofed name is answered here, with everything below it when it has a star', async () => {
  await using upstream = await FakeUpstream.open()
  await using resolver = forwarder([upstream])
  await ask(resolver, query('registry.example.org'))
  resolver.setHosts({
    hosts: [
      { name: 'registry.example.org', addresses: ['192.168.0.250'] },
      { name: '*.mirror.example', addresses: ['192.168.0.250', 'fd00::fa'] },
    ],
  })
  expect(look(resolver, 'registry.example.org')).toMatchObject({ data: ['192.168.0.250'] })
  expect(look(resolver, 'a.b.mirror.example', 'AAAA')).toMatchObject({ data: ['fd00::fa'] })
  expect(look(resolver, 'mirror.example')).toBe('later')
  expect(look(resolver, 'x.registry.example.org')).toBe('later')
})

/** The contents of a hosts file, in pieces of several sizes. */
function parse(text: string, piece = 7) {
  const bytes = Buffer.from(text)
  const parser = new HostsParser(0)
  for (let at = 0; at < bytes.length; at += piece) parser.push(bytes.subarray(at, at + piece))
  parser.end()
  const records = (name: string) => parser.table.records(nameKey(nameBytes(name)!)) ?? []
  const addresses = (name: string) => records(name).map(({ data }) => addressText(data))
  return { badLines: parser.badLines, table: parser.table, addresses }
}

describe('a hosts file', () => {
  test('is read as hosts(5) says', () => {
    const { badLines, addresses } = parse(
      '127.0.0.1 localhost\n::1\tlocalhost ip6-localhost # both\n\n# nothing\r\n192.0.2.7   a.example  a\r\n',
    )
    const names = ['localhost', 'ip6-localhost', 'a.example', 'a', 'nothing', 'example']
    expect(names.map(addresses)).toEqual([
      ['127.0.0.1', '::1'],
      ['::1'],
      ['192.0.2.7'],
      ['192.0.2.7'],
      [],
      [],
    ])
    expect(badLines).toEqual([])
  })

  test('reports its bad lines by number, and uses the good ones', () => {
    const bad = ['999.1.1.1 a', '192.0.2.1', '192.0.2.1 a..b', 'x\u001b[2J y', '192.0.2.2 ä', '- -', '; ;']
    const { badLines, addresses } = parse([...bad, '192.0.2.3 good'].join('\n'))
    expect([addresses('a'), addresses('y'), addresses('good')]).toEqual([[], [], ['192.0.2.3']])
    expect(badLines).toEqual([
      "line 1: '999.1.1.1' is not an IP address",
      'line 2: 192.0.2.1 has no name',
      "line 3: 'a..b' is not a valid name",
      "line 4: 'x?[2J' is not an IP address",
      "line 5: '?' is not a valid name",
      'and 2 more lines',
    ])
  })

  test('can have any text without causing an exception', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), text => {
        parse(text)
      }),
    )
  })

  test('is answered from, read again on reload, and may be missing', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'xcluster-dns-'))
    const hostsFile = join(folder, 'hosts')
    const notices: string[] = []
    try {
      writeFileSync(hostsFile, '192.0.2.7 a.example\nnonsense\n')
      await using resolver = forwarder([], { hostsFile, notice: text => notices.push(text) })
      resolver.setHosts(cluster(1))
      expect(look(resolver, 'a.example')).toMatchObject({ data: ['192.0.2.7'] })
      expect(look(resolver, '7.2.0.192.in-addr.arpa', 'PTR')).toMatchObject({ data: ['a.example'] })
      writeFileSync(hostsFile, '192.0.2.8 a.example\n')
      await resolver.reload()
      expect(look(resolver, 'a.example')).toMatchObject({ data: ['192.0.2.8'] })
      rmSync(hostsFile)
      await resolver.reload()
      expect(look(resolver, 'a.example')).toMatchObject({ data: ['192.0.2.8'] })
      expect(look(resolver, 'vm-001')).toMatchObject({ data: ['192.168.0.1'] })
      expect(notices).toEqual([
        expect.stringMatching(/hosts: line 2: 'nonsense' is not an IP address/),
        expect.stringMatching(/hosts cannot be read: ENOENT/),
      ])
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})
