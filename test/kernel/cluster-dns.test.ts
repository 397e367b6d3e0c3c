import { closeSync } from 'node:fs'
import { describe, expect } from 'vitest'
import { Scope } from '../../src/base/index.ts'
import { openClusterDns } from '../../src/cluster/dns/forwarder.ts'
import type { Dns } from '../../src/dns/index.ts'
import { openBridgeFabric } from '../../src/net/index.ts'
import { planCluster } from '../../src/plan/cluster.ts'
import { resolveSettings, type SettingOptions } from '../../src/plan/index.ts'
import { bindInet, NetNamespace } from '../../src/sys/index.ts'
import { FakeUpstream } from '../support/dns-upstream.ts'
import { test } from '../support/leaks.ts'
import { inNamespace } from '../support/namespace.ts'

/** The DNS forwarder of a cluster that has a network and no VMs. */
async function opened(scope: Scope, options: SettingOptions, namespace?: NetNamespace) {
  const settings = resolveSettings({ options: { nvm: 1, nrouters: 0, ...options } })
  const plan = planCluster(settings)
  const notices: string[] = []
  const notice = (text: string) => void notices.push(text)
  const fabric =
    settings.fabric === 'user'
      ? { namespace: undefined, kind: 'user' as const }
      : scope.add(await openBridgeFabric(plan.bridges, namespace ? { namespace } : {}))
  const dns = await openClusterDns(plan, { settings, fabric, notice, scope })
  return { dns: dns as Dns, namespace: fabric.namespace!, notices }
}

describe('DNS forwarder in a namespace', () => {
  test('a forwarder in a namespace reaches an upstream on the loopback of this machine', async ({
    census,
  }) => {
    {
      await using scope = new Scope()
      const upstream = scope.add(await FakeUpstream.open())
      const { namespace, dns, notices } = await opened(scope, { dnsUpstream: upstream.address })
      const dig = async (...words: string[]) =>
        (await inNamespace(namespace, ['dig', '+short', '+tries=1', ...words])).stdout.trim()
      expect(await dig('@192.168.0.250', 'outside.test')).toBe('192.0.2.1')
      expect(await dig('@fd00::192.168.0.250', '+tcp', 'vm-001')).toBe('192.168.0.1')
      expect(await dig('@192.168.2.250', '-p', '10053', 'vm-001', 'AAAA')).toBe('fd00::c0a8:1')
      expect([dns.address, dns.port]).toEqual(['192.168.0.250', 53])
      expect(notices).toEqual([])
      await inNamespace(namespace, ['ip', 'address', 'add', '10.1.1.1/32', 'dev', 'lo'])
      expect(
        (await inNamespace(namespace, ['dig', '-b', '192.168.0.250', '@10.1.1.1', '-p', '10053', 'a.test']))
          .stdout,
      ).toContain('status: NOERROR')
      expect(
        (await inNamespace(namespace, ['dig', '-b', '10.1.1.1', '@192.168.0.250', 'a.test'])).stdout,
      ).toContain('status: REFUSED')
    }
    await census.expectUnchanged()
  })

  test('a port that is in use is refused, with the process that uses it and a remedy', async ({ census }) => {
    {
      await using scope = new Scope()
      const namespace = scope.add(NetNamespace.create())
      const { fd } = bindInet('udp', { address: '::', port: 10053, namespace })
      scope.defer(() => closeSync(fd))
      await expect(opened(scope, { netns: 'lab' }, namespace)).rejects.toMatchObject({
        code: 'CLUSTER_DNS_TAKEN',
        kind: 'prerequisite',
        target: '[::]:10053',
        reason: expect.stringContaining(`process ${process.pid}`),
        remedy: expect.stringMatching(/in lab, .*`dns: 'off'`/),
      })
      const { dns } = await opened(scope, { dns: 'off' })
      expect(dns).toBeUndefined()
    }
    await census.expectUnchanged()
  })

  test('a forwarder without upstreams answers for nodes, and refuses other names at once', async () => {
    await using scope = new Scope()
    const { namespace, dns } = await opened(scope, { dnsUpstream: 'off' })
    const { stdout } = await inNamespace(namespace, ['dig', '@192.168.0.250', 'outside.test'])
    expect(stdout).toMatch(/status: (SERVFAIL|REFUSED)/)
    await inNamespace(namespace, ['dig', '@192.168.0.250', 'vm-001'])
    expect(dns.snapshot().upstreams).toEqual([])
  })

  test('a missing hosts file is a notice, and does not stop the forwarder', async () => {
    await using scope = new Scope()
    const { notices } = await opened(scope, { dnsUpstream: 'off', dnsHosts: '/nowhere/hosts' })
    expect(notices).toEqual([expect.stringMatching(/^DNS: \/nowhere\/hosts cannot be read: /)])
  })
})

test('with a user-space network the forwarder is on loopback, at its usual port or a free one', async ({
  census,
}) => {
  {
    await using scope = new Scope()
    const all = [await opened(scope, { fabric: 'user' }), await opened(scope, { fabric: 'user' })]
    const [one, other] = all.map(({ dns }) => dns)
    expect(all.map(({ dns }) => dns.address)).toEqual(['127.0.0.1', '127.0.0.1'])
    expect(one!.port).not.toBe(other!.port)
  }
  await census.expectUnchanged()
})
