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
    for (const { node, command, shows } of paths[topology] ?? []) {
      const { stdout } = await cluster.exec(node, command)
      expect(String(Buffer.from(stdout)).trim().split('\n'), command).toEqual(shows)
    }
  })
})
