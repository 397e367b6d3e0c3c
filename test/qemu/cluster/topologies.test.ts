import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect } from 'vitest'
import { startCluster, topologies } from '../../../src/index.ts'
import type { SettingOptions } from '../../../src/plan/index.ts'
import { test } from '../../support/leaks.ts'

/** What shows that packets take the path that the topology is for: a node, a command, and lines of its output. */
interface Path {
  readonly node: number
  readonly command: string
  readonly shows: readonly string[]
}

const hopsTo = (address: string) => `traceroute -n -q 1 -w 5 ${address} | awk 'NR > 1 {print $2}'`
/** A socket bound to an interface looks its route up by the rule for that interface. */
const routeBy = (family: string, address: string, dev: string) =>
  `ip ${family} route get ${address} oif ${dev} | awk '{print $3}' | head -n 1`

const paths: Readonly<Record<string, readonly Path[]>> = {
  multihop: [
    {
      node: 1,
      command: hopsTo('192.168.2.221'),
      shows: ['192.168.1.201', '192.168.3.202', '192.168.4.203', '192.168.2.221'],
    },
  ],
  'dual-path': [
    { node: 1, command: 'ping -q -c 1 -W 5 -I eth2 192.168.6.221 >/dev/null; echo $?', shows: ['0'] },
    { node: 1, command: routeBy('-4', '192.168.2.221', 'eth2'), shows: ['192.168.4.202'] },
    { node: 1, command: routeBy('-4', '192.168.2.221', 'eth1'), shows: ['192.168.1.201'] },
    { node: 221, command: routeBy('-4', '192.168.4.1', 'eth2'), shows: ['192.168.6.204'] },
  ],
  bridge: [{ node: 1, command: hopsTo('192.168.1.221'), shows: ['192.168.1.221'] }],
  'evil-tester': [
    {
      node: 221,
      command: `${hopsTo('192.168.1.1')} | sed 's/192.168.3.20[12]/a router/'`,
      shows: ['192.168.2.222', 'a router', '192.168.1.1'],
    },
  ],
  'multilan-router': [
    {
      node: 202,
      command: 'for a in 3.1 4.2 5.3; do ping -q -c 1 -W 5 169.254.$a >/dev/null; echo $?; done',
      shows: ['0', '0', '0'],
    },
  ],
}

const settings: Readonly<Record<string, SettingOptions>> = {
  backend: { ntesters: 2 },
  'multilan-router': { nvm: 3, xlanTemplate: '169.254.0.0/20/24' },
}

describe('a cluster of the topology', () => {
  test.for(topologies.map(({ name }) => name))('%s reaches all that it plans to', async topology => {
    const options = { nvm: 2, mem: 112, smp: 1, topology, ...settings[topology] }
    const testers = topologies.find(({ name }) => name === topology)!.testers.usual || 1
    await using cluster = await startCluster({ ntesters: testers, ...options })
    const reached = await cluster.checkReach()
    expect(reached.filter(({ ok }) => !ok)).toEqual([])
    expect(reached.length).toBeGreaterThan(0)
    expect(await cluster.verify()).toMatchObject({ differences: [], unverified: [], paths: { broken: 0 } })
    for (const { node, command, shows } of paths[topology] ?? []) {
      const { stdout } = await cluster.exec(node, command)
      expect(String(Buffer.from(stdout)).trim().split('\n'), command).toEqual(shows)
    }
  })
})

test('a topology file of its own is a cluster, with the settings that it has', async () => {
  const topology = join(mkdtempSync(join(tmpdir(), 'lab-')), 'lab.yaml')
  writeFileSync(topology, lab)
  await using cluster = await startCluster({ topology, smp: 1 })
  const { topology: name, nodes } = cluster.status()
  expect([name, ...nodes.map(({ id }) => id)]).toEqual(['two-routers', 1, 201, 202, 221])
  expect((await cluster.checkReach()).filter(({ ok }) => !ok)).toEqual([])
  const { stdout } = await cluster.exec(
    201,
    'cat /sys/class/net/eth2/mtu; ip route get 192.168.2.221 | head -n 1',
  )
  const [mtu, route] = String(Buffer.from(stdout)).split('\n')
  expect([mtu, route]).toEqual(['1400', expect.stringContaining('via 192.168.3.202 dev eth2')])
})

const lab = `
name: two-routers
nodes: 1
routers: 2
testers: 1
nets: { vm: [0, 1], tester: [0, 2], 201: [0, 1, 3], 202: [0, 3, 2] }
setup:
  vm: { routes: [{ to: default, via: { net: 1, node: 201 } }] }
  201: { forwarding: true, routes: [{ to: 2, via: { net: 3, node: 202 } }] }
  202: { forwarding: true, routes: [{ to: 1, via: { net: 3, node: 201 } }] }
  tester: { routes: [{ to: default, via: { net: 2, node: 202 } }] }
settings: { mem: 112, mtu3: 1400 }
`
