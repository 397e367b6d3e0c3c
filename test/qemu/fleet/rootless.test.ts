import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, expect } from 'vitest'
import { TestHosts } from '../../support/hosts.ts'
import { test } from '../../support/leaks.ts'
import { OrdinaryUser } from '../../support/ordinary-user.ts'
import type { RunningXc } from '../../support/xc.ts'

const lab = 'name: two\nnodes: 2\nnets: { vm: [0, 1] }\nhost: { 1: 0, 2: 1 }\nsettings: { mem: 128 }\n'
const why = new OrdinaryUser().whyNot()
beforeEach(({ skip }) => skip(why !== undefined, why))

/** Hosts of users who have the image and the template already: they would make them while the others wait. */
async function prepare({ hosts, folder }: TestHosts): Promise<string> {
  const file = join(folder, 'lab.yaml')
  writeFileSync(file, lab)
  const { xc } = hosts.find(({ user }) => user)!
  await xc.good(['start', '--name', 'before', '--topology', file])
  await xc.good(['stop', '--name', 'before'])
  return file
}

async function start(hosts: TestHosts, file: string, more: readonly string[] = []): Promise<RunningXc[]> {
  const running = hosts.begin(file, more)
  await running[0]!.says(/vm-002 +vm +ready/, 120_000)
  return running
}

const ends = (running: readonly RunningXc[]) => Promise.all(running.map(({ result }) => result))

/** The largest packet passes, and what guests send in segments of 64 KiB. */
async function reach({ xc }: TestHosts['hosts'][number], size: number): Promise<void> {
  for (const to of ['192.168.1.2', 'fd00::192.168.1.2']) {
    const headers = to.includes(':') ? 48 : 28
    const ping = ['ping', '-c1', '-W9', '-s', `${size - headers}`, to]
    expect(await xc.good(['exec', '1', '--', ...ping])).toContain('1 packets received')
  }
  for (const [from, to] of ['12', '21']) {
    const file = `dd if=/dev/urandom of=/tmp/sent bs=1M count=4 2>/dev/null; httpd -p 8000 -h /tmp; md5sum /tmp/sent`
    const [sum] = (await xc.good(['exec', from!, '--', 'sh', '-c', file])).split(' ')
    const fetch = `wget -q -O - http://192.168.1.${from}:8000/sent | md5sum`
    expect(await xc.good(['exec', to!, '--', 'sh', '-c', fetch])).toContain(sum)
  }
}

test('users without root have one lab on two hosts, and nothing is left after a stop and a kill', async () => {
  await using hosts = await TestHosts.open(2, { rootless: [0, 1] })
  const file = await prepare(hosts)
  const first = hosts.hosts[0]!
  const running = await start(hosts, file)
  expect(await first.xc.good(['exec', '2', '--', 'cat', '/sys/class/net/eth1/mtu'])).toBe('1450\n')
  await reach(first, 1450)
  const metrics = await first.xc.good(['metrics'])
  for (const host of [0, 1])
    expect(metrics).toMatch(
      new RegExp(`^xcluster_tunnel_received_datagrams_total\\{host="${host}",.*\\} [1-9]`, 'm'),
    )
  expect(metrics).toMatch(/^xcluster_tunnel_dropped_datagrams_total\{host="1",.*reason="stranger"\} 0$/m)
  expect(await first.xc.good(['verify'])).toContain('as planned')
  await first.xc.good(['stop'])
  expect((await ends(running)).map(each => each.status)).toEqual([0, 0])

  const peers = ['--peers', hosts.hosts.map(({ address6 }) => address6).join()]
  const again = await start(hosts, file, peers)
  expect(await first.xc.good(['exec', '1', '--', 'cat', '/sys/class/net/eth1/mtu'])).toBe('1430\n')
  const ping = ['ping', '-c1', '-W9', '-s', '1402', '192.168.1.2']
  expect(await first.xc.good(['exec', '1', '--', ...ping])).toContain('1 packets received')
  again[0]!.child.kill('SIGKILL')
  expect((await ends(again)).map(({ status, signal }) => status ?? signal)).toEqual(['SIGKILL', 1])
})

test('a host whose user is not root joins one whose user is root', async () => {
  await using hosts = await TestHosts.open(2, { rootless: [1] })
  const file = await prepare(hosts)
  const running = await start(hosts, file)
  await reach(hosts.hosts[0]!, 1450)
  await hosts.hosts[0]!.xc.good(['stop'])
  expect((await ends(running)).map(each => each.status)).toEqual([0, 0])
  for (const { stderr, status } of await ends(hosts.begin(file, ['--encrypt']))) {
    expect(status).toBe(4)
    expect(stderr).toMatch(/^xc: encrypt nets of host \d \(10\.77\.0\.\d\): its (user is not root|kernel)/m)
  }
})
