import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { promisify } from 'node:util'
import { afterAll, describe, expect } from 'vitest'
import {
  addBridgesTo,
  addNamespace,
  dockerVethPair,
  type NamedNamespaceSpec,
  openBridgeFabric,
  removeNamespace,
  vethPairOf,
} from '../../../src/net/index.ts'
import { hostAddresses } from '../../../src/plan/addressing.ts'
import { planBridges, planUplink } from '../../../src/plan/index.ts'
import { bridge, openRoute } from '../../../src/rtnl/index.ts'
import { namespaceNames, openNamed, unnameNamespace } from '../../../src/sys/index.ts'
import { test } from '../../support/leaks.ts'
import { differences, internet, Outside } from '../../support/outside.ts'

/** Runs a command in a namespace by its name, as users do it. */
async function ipNetnsExec(name: string, ...command: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)('ip', ['netns', 'exec', name, ...command])
  return stdout
}

const sources = { ipv4: '192.168.0.0/24', ipv6: 'fd00::c0a8:0/120' }
const host = hostAddresses('fd00:', [0, 2])
const wiring = (nets: readonly number[]) => planBridges({ mtu: 1500, nodes: [{ id: 1, nets }], host })

/** Unique names: they belong to the machine, whatever namespace plays the host. */
const names: string[] = []
function freshName(): string {
  const name = `xct${randomBytes(4).toString('hex')}_xcluster1`
  names.push(name)
  return name
}
afterAll(() => {
  const left = namespaceNames().filter(name => names.includes(name)) // left by a failed test
  for (const name of left) unnameNamespace(name)
})

function specOf(name: string, ipv4Base = '172.30.0.0/24'): NamedNamespaceSpec {
  const plan = planUplink({ index: 1, ipv4Base, ipv6Prefix: 'fd00:1723::' })
  const { bridges } = wiring([0, 1, 2])
  return { name, cable: vethPairOf(plan, name), base: plan.base, sources, bridges, mtu: 1500 }
}

const on = (outside: Outside) => ({ outside: outside.host, records: outside.records })

describe('a named namespace', () => {
  test.for([
    ['172.30.0.0/24', '172.30.0.2', '172.30.0.3'],
    ['172.30', '172.30.0.1', '172.30.1.1'],
    ['10.9.8.16/28', '10.9.8.18', '10.9.8.19'],
  ] as const)(
    'from %s has the documented addresses and routes, and is removed without a trace',
    async ([base, inner, outer]) => {
      await using outside = await new Outside().connect()
      const name = freshName()
      const before = await outside.looks()
      await addNamespace(specOf(name, base), on(outside))
      expect(namespaceNames()).toContain(name)
      const addresses = await ipNetnsExec(name, 'ip', '-br', 'addr')
      expect(addresses.replaceAll(/ +/g, ' ')).toMatch(new RegExp(`host1@if\\d+ \\w+ ${inner}/32 `))
      expect(addresses).toMatch(/xcbr0 .* 192\.168\.0\.250\/24 fd00::c0a8:fa\/120/)
      expect(addresses).toMatch(/xcbr1 +\w+ *$/m)
      expect(addresses).toMatch(/xcbr2 .* 192\.168\.2\.250\/24 fd00::c0a8:2fa\/120/)
      expect(await ipNetnsExec(name, 'ip', 'route')).toMatch(new RegExp(`^default via ${outer} dev host1`))
      for (const [source, to] of [
        ['192.168.0.250', internet.ipv4],
        ['fd00::c0a8:fa', internet.ipv6],
      ])
        await ipNetnsExec(name, 'ping', '-c1', '-W2', '-I', source!, to!)
      await removeNamespace(name, on(outside))
      expect(differences(before, await outside.looks())).toEqual([])
      expect(namespaceNames()).not.toContain(name)
    },
  )

  test('is not made twice, and the second attempt leaves the first one alone', async () => {
    await using outside = await new Outside().connect()
    const name = freshName()
    await addNamespace(specOf(name), on(outside))
    const before = await outside.looks()
    await expect(addNamespace(specOf(name), on(outside))).rejects.toMatchObject({ code: 'NAMESPACE_EXISTS' })
    const other = freshName()
    const sameNumber = addNamespace(specOf(other), on(outside))
    await expect(sameNumber).rejects.toMatchObject({ code: 'UPLINK_TAKEN' })
    const overlapping = addNamespace(specOf(other, '172.30.0.0/16'), on(outside))
    await expect(overlapping).rejects.toMatchObject({ code: 'UPLINK_OVERLAP' })
    expect(differences(before, await outside.looks())).toEqual([])
    expect(namespaceNames()).not.toContain(other)
    await removeNamespace(name, on(outside))
    await expect(removeNamespace(name, on(outside))).rejects.toMatchObject({ code: 'NAMESPACE_MISSING' })
  })

  test('whose name was removed by hand is cleaned up outside', async () => {
    await using outside = await new Outside().connect()
    const name = freshName()
    const before = await outside.looks()
    await addNamespace(specOf(name), on(outside))
    await using held = openNamed(name)
    await promisify(execFile)('ip', ['netns', 'delete', name])
    await removeNamespace(name, on(outside))
    await held.close()
    expect(differences(before, await outside.looks())).toEqual([])
  })

  test("on Docker's bridge has an address of Docker's network", async () => {
    await using outside = await new Outside().connect()
    const name = freshName()
    await expect(dockerVethPair(1, name, outside.host)).rejects.toMatchObject({ code: 'DOCKER_MISSING' })
    await using route = openRoute({ namespace: outside.host })
    await route.links.add(bridge({ name: 'docker0', mac: '02:42:00:00:00:01', up: true }))
    await route.addresses.add({ link: 'docker0', address: '172.17.0.1', prefix: 16 })
    const before = await outside.looks()
    const { base: _, ...spec } = specOf(name)
    await addNamespace({ ...spec, cable: await dockerVethPair(1, name, outside.host) }, on(outside))
    expect(await ipNetnsExec(name, 'ip', '-br', 'addr', 'show', 'dev', 'host1')).toContain('172.17.0.51/16')
    await ipNetnsExec(name, 'ping', '-c1', '-W2', '-I', '192.168.0.250', '172.17.0.1')
    await removeNamespace(name, on(outside))
    expect(differences(before, await outside.looks())).toEqual([])
  })
})

describe('a cluster in a named namespace', () => {
  test('uses the existing bridges, leaves them, and excludes other clusters', async () => {
    await using outside = await new Outside().connect()
    const name = freshName()
    await addNamespace(specOf(name), on(outside))
    const addresses = () => ipNetnsExec(name, 'ip', '-o', 'addr', 'show', 'scope', 'global')
    const before = await addresses()
    await using namespace = openNamed(name)
    const fabric = await openBridgeFabric(wiring([0, 1, 3]), { namespace })
    const ports = await ipNetnsExec(name, 'bridge', 'link')
    expect(ports.match(/xcbr\d_t1.*master xcbr\d/g)).toHaveLength(3)
    await using again = openNamed(name)
    await expect(openBridgeFabric(wiring([5]), { namespace: again })).rejects.toThrow(
      /this namespace already has one \(.*xcbr3/,
    )
    await expect(removeNamespace(name, on(outside))).rejects.toMatchObject({ code: 'NAMESPACE_IN_USE' })
    await fabric.close()
    expect(await addresses()).toBe(before)
    await namespace.close()
    await again.close()
    await removeNamespace(name, on(outside))
  })

  test.for([
    [{ mtu: 9000 }, /xcbr5: a bridge with this name exists, and its MTU is 9000, not 1500/],
    [{ mac: '02:00:00:00:00:01' }, /its Ethernet address is 02:00:00:00:00:01, not 00:00:00:01:05:fa/],
    [{ stp: true }, /its STP is on, not off/],
    [{ up: false }, /its state is down, not up/],
    [{ groupFwdMask: 0 }, /its group_fwd_mask is 0, not 16384/],
  ] as const)('refuses a bridge with %o, and names the setting', async ([settings, words]) => {
    await using outside = await new Outside().connect()
    const usual = { mtu: 1500, mac: '00:00:00:01:05:fa', stp: false, groupFwdMask: 0x4000, up: true }
    await using route = openRoute({ namespace: outside.host })
    await route.links.add(bridge({ name: 'xcbr5', ...usual, ...settings }))
    const before = await outside.looks()
    await expect(openBridgeFabric(wiring([5, 6]), { namespace: outside.host })).rejects.toThrow(words)
    const { bridges } = wiring([5])
    const five = bridges.filter(({ net }) => net === 5)
    await expect(addBridgesTo(outside.host, five, { mtu: 1500 })).rejects.toThrow(words)
    expect(differences(before, await outside.looks())).toEqual([])
  })

  test('refuses a bridge with other addresses', async () => {
    await using outside = await new Outside().connect()
    const five = wiring([5]).bridges.filter(({ net }) => net === 5)
    expect(await addBridgesTo(outside.host, five, { mtu: 1500 })).toEqual(['xcbr5'])
    expect(await addBridgesTo(outside.host, five, { mtu: 1500 })).toEqual([])
    await using route = openRoute({ namespace: outside.host })
    await route.addresses.add({ link: 'xcbr5', address: '192.168.5.1', prefix: 24 })
    const refused = addBridgesTo(outside.host, five, { mtu: 1500 })
    await expect(refused).rejects.toThrow(/its addresses are 192\.168\.5\.1\/24, not none/)
  })
})
