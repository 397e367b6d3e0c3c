import { mkdtempSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import { Scope } from '../../../src/base/index.ts'
import { openClusterDns } from '../../../src/cluster/dns/forwarder.ts'
import { describeAnswer, lookUp } from '../../../src/dns/index.ts'
import { planCluster } from '../../../src/plan/cluster.ts'
import { resolveSettings } from '../../../src/plan/index.ts'
import { test } from '../../support/leaks.ts'

const names = 100_000
/** The size of a piece, src/dns/names/sources.ts. */
const piece = 16_384

function writeHosts(file: string): void {
  const line = (i: number) => `10.${i >> 16}.${(i >> 8) & 255}.${i & 255} host-${i}.lab.example\n`
  writeFileSync(file, Array.from({ length: names }, (_, i) => line(i)).join(''))
}

test("a cluster's owner answers and does other work between the pieces of a hosts file of 100,000 names", async () => {
  await using scope = new Scope()
  const file = join(mkdtempSync(join(tmpdir(), 'hosts-')), 'hosts')
  writeFileSync(file, '192.0.2.1 only.lab.example\n')
  const settings = resolveSettings({ options: { nvm: 1, nrouters: 0, dnsUpstream: 'off', dnsHosts: file } })
  // Of an owner in user space: it answers on loopback.
  const fabric = { kind: 'user', namespace: undefined } as const
  const dns = (await openClusterDns(planCluster(settings), { settings, fabric, notice: () => {}, scope }))!
  const addressOf = async (name: string) => {
    const answer = describeAnswer(await lookUp({ name, server: `127.0.0.1:${dns.port}`, timeoutMs: 10_000 }))
    return answer!.records.map(({ data }) => data).join()
  }
  for (let reading = 1; reading <= 3; reading++) {
    writeHosts(file)
    let isReading = true
    let turns = 0
    const turn = () => {
      turns++
      if (isReading) setImmediate(turn)
    }
    turn()
    // The owner may notice the change at the same time: then this waits for its reading too.
    const read = dns.reload().then(() => {
      isReading = false
    })
    let answers = 0
    while (isReading) {
      expect(await addressOf('vm-001')).toBe('192.168.0.1')
      answers++
    }
    await read
    // A file that were read in one go would leave one turn or two.
    expect(turns).toBeGreaterThan(statSync(file).size / piece)
    expect(answers).toBeGreaterThan(10)
    expect(await addressOf(`host-${names - 1}.lab.example`)).toBe('10.1.134.159')
    expect(await addressOf('only.lab.example')).toBe('')
  }
})
