import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { netsBetween } from '../../../src/fleet/between.ts'
import { whyNoSeal } from '../../../src/net/index.ts'
import { openRoute, vxlan } from '../../../src/rtnl/index.ts'
import { TestHosts } from '../../support/hosts.ts'
import { test } from '../../support/leaks.ts'
import type { XcResult } from '../../support/xc.ts'

const lab = 'name: two\nnodes: 2\nnets: { vm: [0, 1] }\nhost: { 1: 0, 2: 1 }\nsettings: { mem: 128 }\n'

function fileOn({ hosts }: TestHosts, rank: number, text = lab): string {
  const file = join(hosts[rank]!.xc.root, 'lab.yaml')
  writeFileSync(file, text)
  return file
}

/** Runs it on both hosts, with what one of them has in place of the usual. */
async function run(
  hosts: TestHosts,
  more: readonly (readonly string[])[] = [],
  text?: string,
): Promise<XcResult[]> {
  return await Promise.all(
    hosts.hosts.map(({ xc }, rank) =>
      xc.run(hosts.args(fileOn(hosts, rank, rank === 1 ? text : lab), rank, more[rank])),
    ),
  )
}

const last = ({ stderr }: XcResult) => stderr.trimEnd().split('\n').at(-1)

test('a lab whose hosts do not fit together ends on all of them with one sentence that names the host', async () => {
  await using hosts = await TestHosts.open(2)
  const other = await run(hosts, [], lab.replace('nodes: 2', 'nodes: 3'))
  for (const { status, stderr } of other) {
    expect(status).toBe(4)
    expect(stderr).toMatch(
      /^xc: take in host 1 \(10.77.0.2\): its lab is \w{8}, and that of host 0 \w{8}\. [^\n]+\n$/,
    )
  }
  const peers = ['--peers', '10.77.0.1,10.77.0.2,10.77.0.9']
  for (const result of await run(hosts, [[], peers], lab))
    expect(last(result)).toBe(
      'xc: take in host 1 (10.77.0.2): its list of hosts is 10.77.0.1,10.77.0.2,10.77.0.9, ' +
        'and that of host 0 10.77.0.1,10.77.0.2. Give all hosts the same, in the same order.',
    )
  for (const result of await run(hosts, [[], ['--ports', '7766,4790']], lab))
    expect(last(result)).toMatch(
      /^xc: take in host 1 \(10.77.0.2\): its port of VXLAN is 4790, and that of host 0 4789\./,
    )
  const large = await run(
    hosts,
    [
      ['--mem2', '900000'],
      ['--mem2', '900000'],
    ],
    lab,
  )
  for (const result of large)
    expect(last(result)).toMatch(
      /^xc: place vm-002: it needs \d+ MiB, and host 1 \(10.77.0.2\) has \d+ MiB left/,
    )
  const jumbo = await run(
    hosts,
    [
      ['--mtu1', '9000'],
      ['--mtu1', '9000'],
    ],
    lab,
  )
  for (const result of jumbo)
    expect(last(result)).toMatch(/^xc: join net 1: between the hosts there is room for an MTU of 1450\./)
  const secret = join(hosts.hosts[1]!.xc.root, 'other')
  writeFileSync(secret, randomBytes(32))
  const [absent, stranger] = await run(
    hosts,
    [
      ['--join', '3'],
      ['--secret-file', secret],
    ],
    lab,
  )
  expect(last(absent!)).toMatch(/^xc: wait for host 1 \(10.77.0.2\): no word within 3 s/)
  expect(last(stranger!)).toMatch(/^xc: join host 0 \(10.77.0.1\): it does not have the same secret/)
})

test('a lab is a file or the name of a topology, and a host that is not there is named with the way out', async () => {
  await using hosts = await TestHosts.open(1)
  const { xc } = hosts.hosts[0]!
  expect(await xc.good(['host', 'xnet', '--dry-run', '--count', '2'])).toMatch(/^1 +3 .* 4 201 202$/m)
  expect((await xc.run(['host', 'nowhere', '--dry-run'])).stderr).toMatch(
    /^xc: there is no topology 'nowhere'\. Use one of: xnet, /,
  )
  expect(last(await xc.run(['host', fileOn(hosts, 0), '--dry-run', '--count', '1']))).toBe(
    'xc: place vm-002: it shall be on host 1, and there are 1, numbered from 0. ' +
      'Use more hosts, or another number under host: in the topology file.',
  )
})

test('a number of VXLAN that is taken on one host ends the start on all', async () => {
  await using hosts = await TestHosts.open(2)
  const nodes = [1, 2].map(id => ({ id, nets: [{ net: 1, mac: '' }] }))
  const [net] = netsBetween(
    nodes,
    new Map([
      [1, 0],
      [2, 1],
    ]),
    'lab default',
  )
  await using route = openRoute({ namespace: hosts.hosts[1]!.namespace })
  await route.links.add(vxlan({ name: 'taken', vni: net!.vni, port: 4789 }))
  for (const result of await run(hosts, [], lab))
    expect(last(result)).toMatch(
      /^xc: join net 1: host 1 \(10.77.0.2\) has a VXLAN device with the number \d+/,
    )
})

test('a UDP port that is taken on any host ends the start on all, with the port and that host', async () => {
  await using hosts = await TestHosts.open(2)
  for (const [rank, { namespace }] of hosts.hosts.entries()) {
    const bound = "require('dgram').createSocket('udp4').bind(4789, () => console.log('bound'))"
    const taker = spawn('nsenter', [`--net=${namespace.path}`, process.execPath, '-e', bound])
    try {
      await once(taker.stdout, 'data')
      for (const result of await run(hosts, [], lab))
        expect(last(result)).toMatch(
          new RegExp(
            `^xc: join net 1: host ${rank} \\(10.77.0.${rank + 1}\\) cannot have UDP port 4789 for VXLAN: ` +
              'Address already in use. Stop the program that has it',
          ),
        )
    } finally {
      taker.kill()
      await once(taker, 'close')
    }
  }
})

test('one lab at a time has a name on a host, and each host one number', async () => {
  await using hosts = await TestHosts.open(2)
  const first = hosts.begin(fileOn(hosts, 0))
  await first[0]!.says(/vm-002 +vm +ready/)
  const again = await hosts.hosts[0]!.xc.run(hosts.args(fileOn(hosts, 0), 0))
  expect(again.stderr).toMatch(/^xc: start cluster default: it is already running/)
  first[1]!.child.kill('SIGTERM')
  expect((await first[1]!.result).status).toBe(0)
  expect(await hosts.hosts[0]!.xc.good(['status'])).toContain('vm-002: host 1 (10.77.0.2): it was stopped')
  await hosts.hosts[0]!.xc.good(['stop'])
  expect((await first[0]!.result).status).toBe(0)
})

test('what fails on one host ends the start on all, with the name of that host', async () => {
  await using hosts = await TestHosts.open(2)
  const missing = ['--netns', 'not-there']
  for (const rank of [0, 1])
    for (const [at, result] of (await run(hosts, rank === 0 ? [missing] : [[], missing], lab)).entries()) {
      const named = at === rank ? '' : `on host ${rank} (10.77.0.${rank + 1}): `
      expect(last(result)).toContain(`xc: open network namespace not-there: ${named}no network`)
    }
})

test('encryption that a kernel lacks, or that one host alone asks for, ends the start on all', async ({
  skip,
}) => {
  await using hosts = await TestHosts.open(2)
  const other = /^xc: take in host 1 \(10.77.0.2\): its encryption of nets is on, and that of host 0 off\./
  const lacks = (await whyNoSeal()) !== undefined
  for (const result of await run(hosts, [[], ['--encrypt']])) expect(last(result)).toMatch(other)
  skip(!lacks, 'this kernel has WireGuard: what a host without it says is not seen')
  const both = await run(hosts, [['--encrypt'], ['--encrypt']])
  for (const [rank, { status, stderr }] of both.entries()) {
    expect(status).toBe(4)
    expect(stderr).toContain(
      `xc: encrypt nets of host ${rank} (10.77.0.${rank + 1}): its kernel has no WireGuard ` +
        '(CONFIG_WIREGUARD, module wireguard). Load the module',
    )
  }
})
