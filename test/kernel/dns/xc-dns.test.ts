import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { FakeUpstream } from '../../support/dns-upstream.ts'
import { test } from '../../support/leaks.ts'
import { waitFor } from '../../support/wait.ts'
import { oneSentence, type RunningXc, Xc } from '../../support/xc.ts'

const ready = /ready at 127\.0\.0\.1:(\d+), UDP and TCP/

async function portOf(running: RunningXc): Promise<string> {
  await running.says(ready)
  return ready.exec(running.stderr)![1]!
}

test('xc dns answers xc dns --query, follows SIGHUP, and ends with SIGTERM', async () => {
  await using upstream = await FakeUpstream.open()
  const xc = new Xc()
  const [log, hosts] = [join(xc.root, 'log'), join(xc.root, 'hosts')]
  writeFileSync(hosts, '10.0.0.1 own.example\n')
  const options = ['--upstream', upstream.address, '--hosts', hosts, '--log', log]
  const running = xc.begin(['dns', '--listen', '127.0.0.1:0', ...options])
  const server = `127.0.0.1:${await portOf(running)}`
  const query = (name: string, ...more: string[]) =>
    xc.run(['dns', '--query', name, ...more, '--server', server])
  expect((await query('a.example')).stdout).toBe('a.example.\t300\tIN\tA\t192.0.2.1\n')
  expect((await query('own.example', '--tcp')).stdout).toContain('10.0.0.1')

  writeFileSync(hosts, '10.0.0.2 own.example\n')
  renameSync(log, `${log}.1`)
  running.child.kill('SIGHUP')
  expect(await waitFor(async () => (await query('own.example')).stdout.includes('10.0.0.2'), 10_000)).toBe(
    true,
  )
  const none = await query('own.example', 'MX', '--json')
  expect(JSON.parse(none.stdout)).toMatchObject({ v: 1, rcode: 'NOERROR', truncated: false })

  running.child.kill('SIGTERM')
  expect(await running.result).toMatchObject({ status: 0, signal: null })
  expect(readFileSync(`${log}.1`, 'utf8')).toMatch(
    / "A IN a\.example\. udp \d+ false 1232" NOERROR qr,.* 0\.\d{9}s\n/,
  )
  expect(readFileSync(log, 'utf8')).toContain('"MX IN own.example. udp')
})

test('xc dns answers records of its own, some for single clients, and fails as it is told', async () => {
  await using upstream = await FakeUpstream.open()
  const xc = new Xc()
  const running = xc.begin([
    ...['dns', '--listen', '127.0.0.1:0', '--upstream', upstream.address],
    ...['--record', '_http._tcp.lab.test 60 SRV 0 5 80 web.lab.test; web.lab.test A 192.0.2.7'],
    ...['--record', '@192.0.2.0/24 web.lab.test A 192.0.2.8', '--record', 'a.lab.test TXT "x; y"'],
    ...['--fault', '*.broken.example servfail --probability 1 --seed 7 --times 2'],
    ...['--fault', 'gone.example nxdomain --type=A --askers 127.0.0.0/8,::1'],
    ...['--fault', 'others.example refused --askers 192.0.2.0/24'],
  ])
  const server = `127.0.0.1:${await portOf(running)}`
  const query = async (...words: string[]) => {
    const { stdout } = await xc.run(['dns', '--query', ...words, '--server', server, '--json'])
    const { rcode, records } = JSON.parse(stdout)
    return [rcode, ...records.map(({ ttl, data }: { ttl: number; data: string }) => `${ttl} ${data}`)]
  }
  expect(await query('_http._tcp.lab.test', 'SRV')).toEqual(['NOERROR', '60 0 5 80 web.lab.test.'])
  expect(await query('web.lab.test')).toEqual(['NOERROR', '5 192.0.2.7'])
  expect(await query('a.lab.test', 'TXT')).toEqual(['NOERROR', '5 "x; y"'])
  expect(await query('a.broken.example')).toEqual(['SERVFAIL'])
  expect(await query('b.broken.example')).toEqual(['SERVFAIL'])
  expect(await query('c.broken.example')).toEqual(['NOERROR', '300 192.0.2.1'])
  expect(await query('gone.example')).toEqual(['NXDOMAIN'])
  expect((await query('gone.example', 'TXT'))[0]).toBe('NOERROR')
  expect(await query('others.example')).toEqual(['NOERROR', '300 192.0.2.1'])
  running.child.kill('SIGTERM')
  expect(await running.result).toMatchObject({ status: 0 })
})

test('several threads of xc dns share one place and one set of metrics', async () => {
  await using upstream = await FakeUpstream.open()
  const xc = new Xc()
  const options = ['--upstream', upstream.address, '--metrics', '127.0.0.1:0', '--threads', '3']
  const running = xc.begin(['dns', '--listen', '127.0.0.1:0', ...options])
  const server = `127.0.0.1:${await portOf(running)}`
  for (const tcp of [[], ['--tcp'], [], ['--tcp']])
    expect((await xc.run(['dns', '--query', 'a.example', '--server', server, ...tcp])).stdout).toContain(
      '192.0.2.1',
    )
  const url = /http:\S+/.exec(running.stderr)![0]
  const text = await (await fetch(url, { headers: { connection: 'close' } })).text()
  const counted = Array.from(text.matchAll(/^coredns_dns_requests_total\{.*} (\d+)$/gm), ([, n]) => Number(n))
  expect(counted.reduce((sum, n) => sum + n, 0)).toBe(4)
  const other = await xc.run(['dns', '--listen', server, '--threads', '2'])
  expect([other.status, other.stderr]).toEqual([
    1,
    expect.stringMatching(/the port is taken by \w.*process \d+/),
  ])
  running.child.kill('SIGINT')
  expect(await running.result).toMatchObject({ status: 0 })
})

test('threads tell of their messages through the process that has them', async () => {
  await using upstream = await FakeUpstream.open()
  const xc = new Xc()
  Object.assign(xc.env, { XCLUSTER_TRACE: 'dns' })
  const running = xc.begin([
    'dns',
    '--listen',
    '127.0.0.1:0',
    '--upstream',
    upstream.address,
    '--threads',
    '2',
  ])
  const server = `127.0.0.1:${await portOf(running)}`
  for (const name of ['a.example', 'b.example', 'c.example', 'd.example'])
    expect((await xc.run(['dns', '--query', name, '--server', server])).status).toBe(0)
  await running.says(/A d\.example\. NOERROR from upstream/)
  for (const name of ['a', 'b', 'c', 'd']) {
    expect(running.stderr).toMatch(
      new RegExp(`^\\S+Z dns <- udp 127\\.0\\.0\\.1:\\d+: A ${name}\\.example\\. `, 'm'),
    )
    expect(running.stderr).toContain(`dns -> upstream ${upstream.address}: A ${name}.example.`)
  }
  running.child.kill('SIGTERM')
  expect(await running.result).toMatchObject({ status: 0, stdout: '' })
})

test('an upstream over TLS without an address is refused, with the way to write it', async () => {
  const { stderr } = await new Xc().run(['dns', '--upstream', 'https://dns.example:8443/q'])
  expect(stderr).toContain('to look that up would take a resolver, in clear text')
  expect(stderr).toContain('https://192.0.2.1:8443/q#dns.example')
})

test.for([
  [['--listen', 'localhost'], 2],
  [['--threads', '0'], 2],
  [['--cache-size', 'many'], 2],
  [['--zone', 'example.org'], 2],
  [['--zone', 'example.org=192.0.2.1,trust'], 2],
  [['--zone', 'example.org=192.0.2.1,trust-ad', '--zone', 'example.org=192.0.2.2'], 2],
  [['--upstream', 'nobody'], 2],
  [['--upstream', 'https://dns.example/dns-query'], 2],
  [['--record', 'www.lab.test'], 2],
  [['--record', 'www.lab.test A 192.0.2'], 2],
  [['--record', '@here www.lab.test A 192.0.2.1'], 2],
  [['--fault', 'www.lab.test'], 2],
  [['--fault', 'www.lab.test explode'], 2],
  [['--fault', 'www.lab.test servfail --nodes 1'], 2],
  [['--fault', 'www.lab.test servfail --probability 2'], 2],
  [['--fault', 'www.lab.test delay --delay-ms'], 2],
  [['--allow', '10.0.0.0'], 2],
  [['--policy', 'none'], 2],
  [['--log', '/nonexistent/log'], 1],
  [['--query', 'a..b'], 2],
  [['--query', 'a.example', 'NOTYPE'], 2],
] as const)('a usage error of xc dns is one sentence: %s', async ([args, status]) => {
  const result = await new Xc().run(['dns', ...args])
  expect(result.stderr).toMatch(oneSentence)
  expect(result.status).toBe(status)
})
