import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { traceAreas } from '../../../src/base/index.ts'
import { type Census, takeCensus } from '../../support/leaks.ts'
import { Outside } from '../../support/outside.ts'
import { Xc } from '../../support/xc.ts'

// With an uplink the owner also talks to nf_tables. The host is a namespace of this test.
let outside: Outside
let xc: Xc
let census: Census
let log: string

beforeAll(async () => {
  outside = await new Outside().connect()
  xc = new Xc({ host: outside.host })
  census = await takeCensus({ directories: [xc.runtime] })
  const start = ['start', '--nvm', '1', '--nrouters', '1', '--smp', '1', '--uplink']
  Object.assign(xc.env, { XCLUSTER_TRACE: 'all' })
  await xc.good(start)
  await xc.good(['exec', '1', '--', 'getent', 'ahosts', 'vm-201.1'])
  await xc.good(['exec', '1', '--', 'sh', '-c', 'echo not for the log'])
  await xc.good(['stop'])
  log = readFileSync(join(xc.root, 'state/xcluster/default/owner.log'), 'utf8')
})

afterAll(async () => {
  await xc.run(['stop', '--all'])
  await census.expectUnchanged()
  await outside[Symbol.asyncDispose]()
})

const lines = (area: string): string[] => log.split('\n').filter(line => line.split(' ')[1] === area)

test.each(traceAreas)('the owner’s log has messages of the area %s in both directions, one a line', area => {
  const told = lines(area)
  expect(told.length).toBeGreaterThan(3)
  expect(told.filter(line => !/^\d{4}-\d\d-\d\dT[\d:.]+Z \w+ (->|<-|--) [^:]\S*/.test(line))).toEqual([])
  for (const arrow of ['->', '<-'])
    expect(
      told.some(line => line.includes(` ${arrow} `)),
      arrow,
    ).toBe(true)
})

test('the traces in the owner’s log name each operation and its target', () => {
  expect(lines('netlink').join('\n')).toMatch(/-> route net:\[\d+\]: RTM_NEWLINK create bridge xcbr0 \{/)
  expect(lines('nft').join('\n')).toMatch(/-> netfilter.*: NFT_MSG_NEWTABLE .*xcluster_default/)
  expect(lines('qmp').join('\n')).toMatch(/-> vm-001 monitor: query-status/)
  expect(lines('guest').join('\n')).toMatch(/-> vm-001: command \d+: open \{.*bytes: \d+/)
  expect(lines('guest').join('\n')).toMatch(/<- vm-001: command \d+: exited /)
  expect(lines('guest').join('\n')).toMatch(/-> vm-201: \d+ steps \{.*about: "set the clock"/)
  expect(lines('guest').join('\n')).toMatch(/<- vm-201: done \d+ steps \(\d+\.\d+ ms\)/)
  expect(lines('dns').join('\n')).toMatch(/<- (udp|tcp) \S+: AAAA? vm-201\.1\. /)
  expect(lines('vm').join('\n')).toMatch(
    /-> vm-001: start QEMU \{pid: \d+, .*argv: \[\/\S+qemu-system-x86_64, -name, vm-001/,
  )
  expect(lines('vm').join('\n')).toMatch(/-- vm-001: is ready \(\d/)
  expect(lines('vm').join('\n')).toMatch(/<- vm-001: QEMU exits, /)
})

test('the owner’s log has neither the arguments nor the output of programs in guests', () => {
  expect(log).not.toContain('not for the log')
  expect(log).not.toContain(Buffer.from('not for the log').toString('base64')) // 15 bytes: what follows has no part in it
})

test('the owner’s own lines have times in the format of the traces', () => {
  expect(log).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z owner of cluster 'default' starts, pid \d+/m)
  expect(log.trimEnd()).toMatch(/Z gone$/)
})
