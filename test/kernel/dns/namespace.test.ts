import { expect } from 'vitest'
import { openDns } from '../../../src/dns/index.ts'
import { NetNamespace } from '../../../src/sys/index.ts'
import { FakeUpstream } from '../../support/dns-upstream.ts'
import { test } from '../../support/leaks.ts'
import { inNamespace } from '../../support/namespace.ts'

test('a forwarder in a namespace queries upstreams from outside it, replies from the queried address, and refuses other networks', async () => {
  await using upstream = await FakeUpstream.open()
  await using namespace = NetNamespace.create()
  const addresses = ['10.9.9.9/32', '192.168.0.250/24', '192.168.0.251/24', 'fd00::250/64', 'fd00::251/64']
  await inNamespace(namespace, ['ip', 'link', 'set', 'lo', 'up'])
  for (const address of addresses)
    await inNamespace(namespace, [
      'ip',
      'address',
      'add',
      address,
      'dev',
      'lo',
      ...(address.includes(':') ? ['nodad'] : []),
    ])
  await using dns = await openDns({
    namespace,
    listen: ['192.168.0.250:53', '[::]:10053'],
    allow: ['192.168.0.0/24', 'fd00::/64'],
    upstreams: [upstream.address],
    loopCheck: false,
  })
  expect([dns.address, dns.port]).toEqual(['192.168.0.250', 53])
  // dig accepts an answer only from the address that it queried.
  const dig = (server: string, ...options: string[]) =>
    inNamespace(namespace, ['dig', `@${server}`, 'a.example', '+short', '+tries=1', '+timeout=3', ...options])
  const asked = ['192.168.0.251', 'fd00::250', 'fd00::251', '127.0.0.1'].flatMap(server => [
    dig(server, '-p', '10053'),
    dig(server, '-p', '10053', '+tcp'),
  ])
  const answers = await Promise.all([...asked, dig('192.168.0.250'), dig('192.168.0.250', '+tcp')])
  expect(answers.map(({ stdout }) => stdout.trim())).toEqual(answers.map(() => '192.0.2.1'))

  const { stdout } = await inNamespace(namespace, [
    'dig',
    '@10.9.9.9',
    '-p',
    '10053',
    'a.example',
    '+tries=1',
  ])
  expect(stdout).toContain('status: REFUSED')
  expect(dns.snapshot().server.refused).toBe(1)
})
