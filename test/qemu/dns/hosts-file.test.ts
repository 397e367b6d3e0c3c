import { mkdtempSync, renameSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { describeAnswer, lookUp } from '../../../src/dns/index.ts'
import { type Census, takeCensus } from '../../support/leaks.ts'
import { Xc } from '../../support/xc.ts'

let xc: Xc
let census: Census

beforeAll(async () => {
  xc = new Xc()
  census = await takeCensus({ directories: [xc.runtime] })
})
afterAll(async () => {
  await xc.run(['stop', '--all'])
  await census.expectUnchanged()
})

test('a running cluster takes over a hosts file of 100,000 names, and answers its API and its guests meanwhile', async () => {
  const file = join(mkdtempSync(join(tmpdir(), 'hosts-')), 'hosts')
  writeFileSync(file, '192.0.2.1 only.lab.example\n')
  const options = ['--nvm', '1', '--nrouters', '0', '--fabric', 'user', '--dns-upstream', 'off']
  await xc.good(['start', ...options, '--dns-hosts', file])
  const { dns } = JSON.parse(await xc.good(['status', '--json']))
  const addressOf = async (name: string) => {
    const server = `${dns.address}:${dns.port}`
    const answer = describeAnswer(await lookUp({ name, server, timeoutMs: 20_000 }))
    return answer!.records.map(({ data }) => data).join()
  }
  const line = (i: number) => `10.${i >> 16}.${(i >> 8) & 255}.${i & 255} host-${i}.lab.example\n`
  writeFileSync(`${file}-next`, Array.from({ length: 100_000 }, (_, i) => line(i)).join(''))
  renameSync(`${file}-next`, file)
  let rounds = 0
  for (; (await addressOf('host-99999.lab.example')) === ''; rounds++) {
    expect(JSON.parse(await xc.good(['status', '--json'])).nodes).toHaveLength(1)
    expect(await addressOf('vm-001')).toBe('192.168.0.1')
  }
  expect(await addressOf('host-99999.lab.example')).toBe('10.1.134.159')
  expect(await xc.good(['exec', '1', '--', 'nslookup', 'host-77.lab.example'])).toContain('10.0.0.77')
  expect(rounds).toBeGreaterThan(0)
  await xc.good(['stop'])
})
