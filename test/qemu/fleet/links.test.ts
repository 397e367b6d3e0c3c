import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import type { CountersEvent, ImpairedLinks } from '../../../src/api/index.ts'
import { TestHosts } from '../../support/hosts.ts'
import { test } from '../../support/leaks.ts'

const lab = 'name: two\nnodes: 2\nnets: { vm: [0, 1] }\nhost: { 1: 0, 2: 1 }\nsettings: { mem: 128 }\n'

test('links of all hosts are impaired in both directions through the leader, and counted in its events', async () => {
  await using hosts = await TestHosts.open(2)
  const { xc } = hosts.hosts[0]!
  const file = join(xc.root, 'lab.yaml')
  writeFileSync(file, lab)
  const running = hosts.begin(file)
  await running[0]!.says(/vm-002 +vm +ready/, 120_000)

  const link = async (...words: string[]) =>
    (JSON.parse(await xc.good(['link', ...words, '--json'])) as ImpairedLinks).links.map(
      ({ node, dev, direction, loss, delayMs }) => ({ node, dev, direction, loss, delayMs }),
    )
  const ping = async (from: string, to: string) =>
    (await xc.run(['exec', from, '--', 'ping', '-c1', '-W2', to])).stdout.includes(' 1 packets received')
  const received = { node: 'vm-002', dev: 'eth1', direction: 'received', loss: 1 }
  expect(await ping('1', '192.168.1.2')).toBe(true)
  expect(await link('2', 'eth1', '--direction', 'received', '--loss', '1')).toEqual([received])
  expect(await ping('1', '192.168.1.2')).toBe(false)
  const sent = { node: 'vm-001', dev: 'eth1', direction: 'sent', delayMs: 5 }
  expect(await link('1', 'eth1', '--direction', 'sent', '--delay-ms', '5')).toContainEqual(sent)
  expect(await link()).toEqual([sent, received])
  expect(await link('2', 'eth1', '--direction', 'received', '--clear')).not.toContainEqual(received)
  expect(await link()).toEqual([sent])
  expect(await ping('1', '192.168.1.2')).toBe(true)

  const owner = `${xc.runtime}/default/owner.sock`
  const url = 'http://owner/v1/events?countersMs=500'
  const curl = spawn('curl', ['-sN', '-m', '5', '--unix-socket', owner, url])
  let text = ''
  curl.stdout.on('data', piece => (text += piece))
  const closed = once(curl, 'close')
  expect(await ping('1', '192.168.1.2')).toBe(true)
  await closed
  const events = text.split('\n').filter(line => line.startsWith('data: {"type":"counters"'))
  expect(events.length).toBeGreaterThan(2)
  const { links, nets } = JSON.parse(events.at(-1)!.slice(6)) as CountersEvent
  expect(links.map(({ name, dev }) => `${name} ${dev}`)).toEqual([
    'vm-001 eth0',
    'vm-001 eth1',
    'vm-002 eth0',
    'vm-002 eth1',
  ])
  const [one, two] = links.filter(({ net }) => net === 1)
  for (const each of [one!, two!]) expect(each.sent.frames).toBeGreaterThan(0)
  expect(nets.find(({ net }) => net === 1)!.frames).toBe(one!.sent.frames + two!.sent.frames)

  running[1]!.child.kill('SIGKILL')
  await running[1]!.result
  const after = spawn('curl', ['-sN', '-m', '3', '--unix-socket', owner, url])
  text = ''
  after.stdout.on('data', piece => (text += piece))
  await once(after, 'close')
  const alone = text.split('\n').filter(line => line.startsWith('data: {"type":"counters"'))
  const last = JSON.parse(alone.at(-1)!.slice(6)) as CountersEvent
  expect(last.links.map(({ name }) => name)).toEqual(['vm-001', 'vm-001'])
  await xc.good(['stop'])
  expect((await running[0]!.result).status).toBe(0)
})
