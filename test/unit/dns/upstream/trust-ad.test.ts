import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { dnsOptionsOf } from '../../../../src/cli/options/dns.ts'
import { openResolver, type Resolver } from '../../../../src/dns/index.ts'
import { type Asked, address, answerTo, FakeUpstream, query } from '../../../support/dns-upstream.ts'
import { ask, askNow, type Read } from '../asker.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'trust-ad-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

/** Answers with AD. */
const validated = (asked: Asked) =>
  asked.reply(answerTo(asked, { answers: [address(asked.name)], flags: 0x0020 }))

/** Whether the answers have AD: the first, and the one from the cache. */
async function ads(resolver: Resolver, name: string): Promise<boolean[]> {
  const asked = query(name, { flags: 0x0120 })
  const first = await ask(resolver, asked)
  return [first, askNow(resolver, asked) as Read].map(({ bytes }) => (bytes[3]! & 0x20) !== 0)
}

/** A forwarder whose main server is in a resolv.conf, and whose other is for corp.example. */
async function servers(options: string, zone: string) {
  const main = await FakeUpstream.open(validated)
  const corp = await FakeUpstream.open(validated)
  const resolvConf = join(folder, 'resolv.conf')
  writeFileSync(resolvConf, `nameserver ${main.address}\n${options}\n`)
  const { zones } = dnsOptionsOf({ zone: [`corp.example=${corp.address}${zone}`] })
  const resolver = openResolver({ resolvConf, mainNamespace: true, loopCheck: false, zones: zones! })
  return {
    main,
    corp,
    resolver,
    async [Symbol.asyncDispose]() {
      for (const each of [resolver, main, corp]) await each[Symbol.asyncDispose]()
    },
  }
}

describe('the AD bit of upstreams', () => {
  test.each([
    ['options trust-ad', '', true, false],
    ['', ',trust-ad', false, true],
    ['options trust-ad', ',trust-ad', true, true],
    ['', '', false, false],
  ])('with resolv.conf "%s" and --zone …%s counts for its own servers alone', async (...given) => {
    const [options, zone, ofMain, ofZone] = given
    await using all = await servers(options, zone)
    expect(await ads(all.resolver, 'a.example')).toEqual([ofMain, ofMain])
    expect(await ads(all.resolver, 'a.corp.example')).toEqual([ofZone, ofZone])
    // It is requested where it counts (RFC 6840 §5.7).
    const requested = [all.main, all.corp].map(({ asked }) => (asked[0]!.bytes[3]! & 0x20) !== 0)
    expect(requested).toEqual([ofMain, ofZone])
  })
})
