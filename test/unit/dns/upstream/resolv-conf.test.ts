import { describe, expect, test } from 'vitest'
import { chooseResolvConf } from '../../../../src/dns/upstream/conf/local-resolver.ts'
import { parseResolvConf } from '../../../../src/dns/upstream/conf/resolv-conf.ts'
import { isLocal, parseServer, readServer, serverText } from '../../../../src/dns/upstream/conf/server.ts'

describe("a name server's address", () => {
  test.each([
    ['192.0.2.1', '192.0.2.1:53'],
    ['192.0.2.1:5353', '192.0.2.1:5353'],
    ['2001:DB8::1', '[2001:db8::1]:53'],
    ['[2001:db8::1]', '[2001:db8::1]:53'],
    ['[2001:db8::1]:5353', '[2001:db8::1]:5353'],
    ['fe80::1%eth0', '[fe80::1%eth0]:53'],
    ['[fe80::1%2]:54', '[fe80::1%2]:54'],
  ])('%s is read as %s', (text, name) => {
    expect(serverText(parseServer(text))).toBe(name)
  })

  test.each([
    '',
    'localhost',
    '1.2.3',
    '192.0.2.1:0',
    '192.0.2.1:65536',
    '192.0.2.1:',
    '[::1',
    '::1]:53',
    '[::1]:x',
    'fe80::1%',
    '192.0.2.1 ',
  ])("cannot be '%s'", text => {
    expect(readServer(text)).toBeUndefined()
    expect(() => parseServer(text)).toThrow(/not the address of a name server/)
  })

  test.each([
    ['127.0.0.53', true],
    ['::1', true],
    ['0.0.0.0', true],
    ['128.0.0.1', false],
    ['192.168.0.1', false],
  ])('%s: reachable from this network namespace only: %s', (text, local) => {
    expect(isLocal(parseServer(text))).toBe(local)
  })
})

describe('resolv.conf', () => {
  test('gives servers in order, each once, and the relevant options', () => {
    const conf = parseResolvConf(
      [
        '# made by hand',
        '; and by another hand',
        'domain example.org',
        'search example.org example.net',
        'nameserver 192.0.2.1',
        '\tnameserver   2001:db8::1   # trailing words are passed over',
        'nameserver 192.0.2.1',
        'sortlist 192.0.2.0/24',
        'options timeout:2 attempts:3 rotate edns0',
        'options use-vc trust-ad ndots:5',
      ].join('\r\n'),
    )
    expect(conf).toMatchObject({
      timeout: 2,
      attempts: 3,
      rotate: true,
      tcpOnly: true,
      trustAd: true,
      badLines: [],
    })
    expect(conf.servers.map(serverText)).toEqual(['192.0.2.1:53', '[2001:db8::1]:53'])
  })

  test('without options has the defaults of resolv.conf(5), and their limits', () => {
    expect(parseResolvConf('')).toMatchObject({ timeout: 5, attempts: 2, rotate: false, tcpOnly: false })
    const odd = parseResolvConf(
      'options timeout:0 attempts:99\noptions timeout:x attempts:\noptions timeout:300',
    )
    expect(odd).toMatchObject({ timeout: 30, attempts: 2 })
  })

  test('can have twenty servers', () => {
    const text = Array.from({ length: 20 }, (_, i) => `nameserver 192.0.2.${i}\n`).join('')
    expect(parseResolvConf(text).servers).toHaveLength(20)
  })

  test('reports its bad lines by number', () => {
    const conf = parseResolvConf(
      'nameserver\nnameserver dns.example.org\nnameserver 192.0.2.1\n\u0000\u0001\nname',
    )
    expect(conf.servers).toHaveLength(1)
    expect(conf.badLines).toEqual([
      "line 1: '' is not the address of a name server",
      "line 2: 'dns.example.org' is not the address of a name server",
    ])
  })
})

describe('a local resolver', () => {
  const stub = 'nameserver 127.0.0.53\noptions edns0 trust-ad\n'
  const behind = 'nameserver 192.0.2.1\nnameserver 2001:db8::1\n'
  const names = (chosen: ReturnType<typeof chooseResolvConf>) =>
    chosen.conf.servers.map(({ address }) => address)

  test('is used in the main network namespace', () => {
    const chosen = chooseResolvConf({ text: stub, systemd: behind, mainNamespace: true })
    expect(names(chosen)).toEqual(['127.0.0.53'])
    expect(chosen.notices).toEqual([])
  })

  test('is replaced in another namespace by the servers that it uses itself', () => {
    const chosen = chooseResolvConf({ text: stub, systemd: behind, mainNamespace: false })
    expect(names(chosen)).toEqual(['192.0.2.1', '2001:db8::1'])
    expect(chosen.notices).toEqual([])
  })

  test('whose servers are unknown gives a notice that says what to do', () => {
    for (const systemd of [undefined, '', stub]) {
      const chosen = chooseResolvConf({ text: 'nameserver 127.0.1.1\n', systemd, mainNamespace: false })
      expect(names(chosen)).toEqual([])
      expect(chosen.notices).toEqual([expect.stringMatching(/127\.0\.1\.1 is a local resolver.*`upstream`/)])
    }
  })

  test('beside a server that can be reached is omitted', () => {
    const text = 'nameserver 127.0.0.1\nnameserver 192.0.2.7\n'
    expect(names(chooseResolvConf({ text, systemd: behind, mainNamespace: false }))).toEqual(['192.0.2.7'])
  })
})
