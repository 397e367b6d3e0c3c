import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { netsBetween } from '../../../src/fleet/between.ts'
import { macOf } from '../../../src/plan/index.ts'
import { openRoute, vxlan } from '../../../src/rtnl/index.ts'
import { TestHosts } from '../../support/hosts.ts'
import { test } from '../../support/leaks.ts'
import { inNamespace } from '../../support/namespace.ts'
import { waitFor } from '../../support/wait.ts'
import type { RunningXc } from '../../support/xc.ts'

const lab = `
name: three
nodes: 6
nets: { vm: [0, 1], 5-6: [0, 1, 2] }
host: { 1-2: 0, 3-4: 1, 5-6: 2 }
settings: { mem: 128 }
`

interface Running {
  readonly hosts: TestHosts
  readonly running: readonly RunningXc[]
}

function labIn({ hosts }: TestHosts, text: string): string {
  const file = join(hosts[0]!.xc.root, 'lab.yaml')
  writeFileSync(file, text)
  return file
}

/** Starts the lab on three hosts. Resolves when the leader has printed its table. */
async function start(hosts: TestHosts): Promise<Running> {
  const running = hosts.begin(labIn(hosts, lab))
  await running[0]!.says(/vm-006 {2}vm {4}ready/, 120_000)
  return { hosts, running }
}

const ends = (running: readonly RunningXc[]) => Promise.all(running.map(({ result }) => result))

test('three hosts are one lab for all commands on the host of the leader, and nothing is left after a stop', async () => {
  await using hosts = await TestHosts.open(3)
  const { running } = await start(hosts)
  const { xc } = hosts.hosts[0]!
  const { nodes, state } = JSON.parse(await xc.good(['status', '--json']))
  expect(state).toBe('ready')
  expect(nodes.map((node: { id: number; state: string }) => `${node.id} ${node.state}`)).toEqual(
    [1, 2, 3, 4, 5, 6].map(id => `${id} ready`),
  )
  expect(await xc.good(['exec', '5', '--', 'hostname'])).toBe('vm-005\n')
  // With the headers nearly as much as the MTU has.
  for (const to of ['192.168.1.5', '192.168.1.3', 'fd00::192.168.1.5', 'fd00::192.168.1.3'])
    expect(await xc.good(['exec', '1', '--', 'ping', '-c1', '-W9', '-s', '1400', to])).toContain(
      '1 packets received',
    )
  expect(await xc.good(['exec', '3', '--', 'cat', '/sys/class/net/eth1/mtu'])).toBe('1450\n')
  expect(await xc.good(['exec', '5', '--', 'cat', '/sys/class/net/eth2/mtu'])).toBe('1500\n')
  expect(await xc.good(['exec', '4', '--', 'nslookup', 'vm-006.1'])).toContain('192.168.1.6')
  expect(await xc.good(['check'])).toMatch(/IPv4 \d+ of \d+/)
  expect(await xc.good(['verify'])).toContain('as planned')
  await xc.good(['put', '6', '-', '/tmp/sent'], 'from the leader')
  expect(await xc.good(['get', '6', '/tmp/sent', '-'])).toBe('from the leader')
  await xc.good(['pause', '2', '4'])
  expect(await xc.good(['status'])).toMatch(/vm-002 +vm +paused[\s\S]*vm-004 +vm +paused/)
  await xc.good(['resume'])
  await xc.good(['reset', '3'])
  expect(await xc.good(['exec', '6', '--', 'ping', '-c1', '-W9', '192.168.1.3'])).toContain(
    '1 packets received',
  )
  await xc.good(['name-add', 'www.lab.test', 'A', '192.168.1.1'])
  expect(await xc.good(['exec', '6', '--', 'nslookup', 'www.lab.test'])).toContain('192.168.1.1')
  expect(await xc.good(['metrics'])).toMatch(/host="2",.*node="vm-006"/)
  expect((await xc.run(['scaleout', '7'])).stderr).toMatch(/^xc: ask for scaleout: each host would/)
  expect((await xc.run(['apply', join(xc.root, 'lab.yaml')])).stderr).toMatch(
    /^xc: ask for apply: each host would/,
  )
  expect((await xc.run(['tcpdump', '--start', '5'])).stderr).toContain('the file would be on host 2')
  expect((await xc.run(['exec', '9', '--', 'true'])).stderr).toContain('Its nodes are 1, 2, 3, 4, 5, 6')
  const capture = xc.begin([
    'capture',
    '--net',
    '1',
    '-w',
    join(xc.root, 'net1.pcapng'),
    '--for',
    '4',
    '--json',
  ])
  for (let ping = 0; ping < 3; ping++) await xc.good(['exec', '1', '--', 'ping', '-c1', '-W9', '192.168.1.5'])
  const { status, stdout, stderr } = await capture.result
  expect({ status, stderr }).toEqual({ status: 0, stderr: 'Capturing.\n' })
  // Each ping passes the taps of both nodes, there and back.
  expect(JSON.parse(stdout)).toMatchObject({ lost: 0 })
  expect(JSON.parse(stdout).frames).toBeGreaterThanOrEqual(8)
  await xc.good(['stop'])
  expect((await ends(running)).map(each => each.status)).toEqual([0, 0, 0])
})

test('the nodes of a host that is killed are failed with the reason, and the others go on', async () => {
  await using hosts = await TestHosts.open(3)
  const { running } = await start(hosts)
  const { xc } = hosts.hosts[0]!
  const file = join(xc.root, 'cut.pcapng')
  const capture = xc.begin(['capture', '--net', '1', '-w', file, '--json'])
  await capture.says(/Capturing/)
  running[2]!.child.kill('SIGKILL')
  const reason = 'host 2 (10.77.0.3): its process has ended'
  expect(await waitFor(async () => (await xc.good(['status'])).includes(`vm-006: ${reason}`), 20_000)).toBe(
    true,
  )
  expect(await xc.good(['exec', '1', '--', 'ping', '-c1', '-W9', '192.168.1.3'])).toContain(
    '1 packets received',
  )
  capture.child.kill('SIGINT')
  const captured = await capture.result
  expect(captured.status).toBe(1)
  expect(captured.stderr).toContain(`\nxc: complete capture in ${file}: ${reason}. It has what had come`)
  // The ping after the loss, there and back on two taps.
  expect(JSON.parse(captured.stdout).frames).toBeGreaterThanOrEqual(4)
  expect((await xc.run(['exec', '5', '--', 'true'])).stderr).toBe(
    'xc: reach host 2 (10.77.0.3): its process has ended.\n',
  )
  const verified = await xc.run(['verify'])
  expect(verified.status).toBe(1)
  for (const node of ['vm-005', 'vm-006'])
    expect(verified.stdout).toContain(`${node}: node: failed (${reason}), should be ready\n`)
  // Each net 1 address of the others, in IPv4 and IPv6, and back; and among 5 and 6 on nets 0, 1 and 2.
  expect(verified.stdout).toMatch(new RegExp(`\\b${2 * 2 * 2 * 4 + 2 * 2 * 3} of \\d+ paths`))
  const checked = await xc.run(['check'])
  expect(checked.status).toBe(1)
  expect(checked.stdout).toMatch(/^vm-005 +vm-006 /m)
  expect(await xc.good(['metrics'])).toMatch(
    /^xcluster_node_state\{host="2",.*node="vm-006",.*state="failed"\} 1$/m,
  )
  running[0]!.child.kill('SIGTERM')
  expect((await ends(running)).map(({ status, signal }) => status ?? signal)).toEqual([0, 0, 'SIGKILL'])
})

test('all hosts end when the leader is killed', async () => {
  await using hosts = await TestHosts.open(3)
  const { running } = await start(hosts)
  running[0]!.child.kill('SIGKILL')
  const [, one, two] = await ends(running)
  expect([one!.status, two!.status]).toEqual([1, 1])
  expect(one!.stderr).toContain('xc: reach host 0 (10.77.0.1): its process has ended.\n')
})

test('a host whose cable is pulled ends by itself, and the others go on', async () => {
  await using hosts = await TestHosts.open(3)
  const { running } = await start(hosts)
  const { xc } = hosts.hosts[0]!
  await using route = openRoute({ namespace: hosts.hosts[2]!.namespace })
  await route.links.change({ name: 'eth0', up: false })
  const cut = await running[2]!.result
  expect(cut.status).toBe(1)
  expect(cut.stderr).toMatch(/xc: reach host 0 \(10.77.0.1\): it has said nothing for \d+ s/)
  expect(await xc.good(['status'])).toMatch(/vm-005: host 2 \(10.77.0.3\): it has said nothing for \d+ s/)
  expect(await xc.good(['exec', '3', '--', 'hostname'])).toBe('vm-003\n')
  await xc.good(['stop'])
})

test('nets between hosts work over IPv6, and take no frames from a stranger', async () => {
  await using hosts = await TestHosts.open(4)
  const [first, second, stranger] = [hosts.hosts[0]!, hosts.hosts[1]!, hosts.hosts[3]!]
  const file = labIn(
    hosts,
    'name: two\nnodes: 2\nnets: { vm: [0, 1] }\nhost: { 1: 0, 2: 1 }\nsettings: { mem: 128 }\n',
  )
  const peers = ['--peers', `${first.address6},${second.address6}`]
  const running = hosts.begin(file, peers, 2)
  await running[0]!.says(/vm-002 +vm +ready/)
  expect(await first.xc.good(['exec', '1', '--', 'cat', '/sys/class/net/eth1/mtu'])).toBe('1430\n')
  expect(await first.xc.good(['exec', '1', '--', 'ping', '-c1', '-W9', '192.168.1.2'])).toContain(
    '1 packets received',
  )
  const nodes = [1, 2].map(id => ({ id, nets: [{ net: 1, mac: macOf(1, id) }] }))
  const [net] = netsBetween(
    nodes,
    new Map([
      [1, 0],
      [2, 1],
    ]),
    'lab default',
  )
  await using route = openRoute({ namespace: stranger.namespace })
  const tunnel = { vni: net!.vni, local: stranger.address6, remote: first.address6, port: 4789 }
  await route.links.add(vxlan({ name: 'in', ...tunnel, up: true }))
  await route.addresses.add({ link: 'in', address: '192.168.1.99', prefix: 24 })
  // The kernel asks for the address of node 1, which would then know that of the stranger.
  await inNamespace(stranger.namespace, ['bash', '-c', 'echo > /dev/udp/192.168.1.1/9'])
  expect(await first.xc.good(['exec', '1', '--', 'ping', '-c2', '192.168.1.2'])).toContain(
    '2 packets received',
  )
  expect(await first.xc.good(['exec', '1', '--', 'ip', 'neigh'])).not.toContain('192.168.1.99')
  await first.xc.good(['stop'])
  await ends(running)
})

test('a host that is killed while the lab starts ends the start on all', async () => {
  await using hosts = await TestHosts.open(3)
  const running = hosts.begin(labIn(hosts, lab))
  await running[1]!.says(/starting 2 of 6 nodes/)
  running[1]!.child.kill('SIGKILL')
  const [leader, , other] = await ends(running)
  expect([leader!.status, other!.status]).toEqual([1, 1])
  for (const { stderr } of [leader!, other!])
    expect(stderr).toContain('xc: reach host 1 (10.77.0.2): its process has ended.\n')
})
