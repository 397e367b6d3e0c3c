import { mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openResolver, type Resolver } from '../../../../src/dns/index.ts'
import { FakeUpstream, query } from '../../../support/dns-upstream.ts'
import { ManualClock } from '../../../support/manual-clock.ts'
import { ask } from '../asker.ts'

let folder: string
const path = () => join(folder, 'resolv.conf')
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'xcluster-dns-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const write = (name: string, ...servers: (FakeUpstream | string)[]) =>
  writeFileSync(
    join(folder, name),
    servers.map(server => `nameserver ${typeof server === 'string' ? server : server.address}\n`).join(''),
  )

function following(clock: ManualClock, notices: string[] = []): Resolver {
  const notice = (text: string) => notices.push(text)
  return openResolver({ resolvConf: path(), mainNamespace: true, loopCheck: false, clock, notice })
}
const names = (resolver: Resolver) => resolver.upstreams().map(({ name }) => name)

describe('resolv.conf', () => {
  test.each([
    ['is rewritten', () => write('resolv.conf', '192.0.2.2')],
    [
      'is replaced',
      () => {
        write('new', '192.0.2.2')
        renameSync(join(folder, 'new'), path())
      },
    ],
    [
      'becomes a symlink',
      () => {
        write('target', '192.0.2.2')
        symlinkSync('target', join(folder, 'link'))
        renameSync(join(folder, 'link'), path())
      },
    ],
  ])('that %s is read again with a query a second later', async (_, change) => {
    const clock = new ManualClock()
    await using upstream = await FakeUpstream.open()
    write('resolv.conf', upstream, '192.0.2.9')
    await using resolver = following(clock)
    expect(names(resolver)).toEqual([upstream.address, '192.0.2.9:53'])
    await ask(resolver, query('a.example'))
    change()
    void resolver.resolve(query('b.example'), { transport: 'udp', address: '::1', port: 1 })
    expect(names(resolver)).toContain(upstream.address)
    clock.pass(1000)
    void resolver.resolve(query('c.example'), { transport: 'udp', address: '::1', port: 1 })
    expect(names(resolver)).toEqual(['192.0.2.2:53'])
  })

  test('whose symlink is turned to another file is read again', async () => {
    const clock = new ManualClock()
    await using first = await FakeUpstream.open()
    await using second = await FakeUpstream.open()
    write('one', first)
    write('two', second)
    symlinkSync('one', path())
    await using resolver = following(clock)
    symlinkSync('two', join(folder, 'next'))
    renameSync(join(folder, 'next'), path())
    clock.pass(1000)
    await ask(resolver, query('a.example'))
    expect([first.asked.length, second.asked.length]).toEqual([0, 1])
  })

  test('that is empty or missing for a while leaves the earlier servers in use, with a notice', async () => {
    const clock = new ManualClock()
    const notices: string[] = []
    await using upstream = await FakeUpstream.open()
    write('resolv.conf', upstream)
    await using resolver = following(clock, notices)
    for (const [i, change] of [() => write('resolv.conf'), () => rmSync(path())].entries()) {
      change()
      clock.pass(1000)
      expect(await ask(resolver, query(`a${i}.example`))).toMatchObject({ data: ['192.0.2.1'] })
    }
    expect(notices).toEqual([
      expect.stringMatching(/has no name servers/),
      expect.stringMatching(/cannot be read: ENOENT/),
    ])
  })

  test('that never existed gives a notice and SERVFAIL, and is used once it exists', async () => {
    const clock = new ManualClock()
    const notices: string[] = []
    await using upstream = await FakeUpstream.open()
    await using resolver = following(clock, notices)
    expect(notices).toEqual([expect.stringMatching(/cannot be read: ENOENT/)])
    expect(await ask(resolver, query('a.example'))).toMatchObject({ rcode: 'SERVFAIL' })
    write('resolv.conf', upstream)
    await resolver.reload()
    expect(await ask(resolver, query('a.example'))).toMatchObject({ data: ['192.0.2.1'] })
  })

  test('with twenty servers, nineteen of which refuse, gives the answer of the twentieth', async () => {
    await using good = await FakeUpstream.open()
    const servers = Array.from({ length: 19 }, (_, i) => `127.0.0.${i + 2}:${good.address.split(':')[1]}`)
    write('resolv.conf', ...servers, good)
    await using resolver = following(new ManualClock())
    expect(names(resolver)).toHaveLength(20)
    expect(await ask(resolver, query('a.example'))).toMatchObject({ data: ['192.0.2.1'] })
  })
})
