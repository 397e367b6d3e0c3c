import { describe, expect } from 'vitest'
import { Scope } from '../../../src/base/index.ts'
import { ClusterFaults } from '../../../src/cluster/dns/faults.ts'
import { ClusterNames } from '../../../src/cluster/dns/own-names.ts'
import { planCluster } from '../../../src/plan/cluster.ts'
import { resolveSettings, type SettingOptions } from '../../../src/plan/index.ts'
import { test } from '../../support/leaks.ts'
import { openForwarder } from './cluster-forwarder.ts'

/** A cluster's forwarder with what changes it while it runs. */
async function lab(scope: Scope, options: SettingOptions) {
  const all = { nvm: 2, nrouters: 0, dnsUpstream: 'off', ...options }
  const settings = resolveSettings({ options: all })
  const opened = await openForwarder(scope, all)
  const { dns, plan } = opened
  const fabric = { kind: 'bridge' } as const
  const names = new ClusterNames(plan, { dns, settings, fabric })
  const faults = new ClusterFaults({ dns, plan: () => plan, fabric })
  return { ...opened, names, faults }
}

describe("a cluster's own records", () => {
  test('come from the settings, are added and removed while it runs, and stay when nodes come', async ({
    census,
  }) => {
    {
      await using scope = new Scope()
      const { dig, names } = await lab(scope, {
        domain: 'lab.test',
        dnsRecord: 'web 60 CNAME vm-001.lab.test; note.lab.test TXT "a; b"; *.apps.lab.test A 192.0.2.1',
      })
      expect(await dig('web.lab.test')).toEqual(['vm-001.lab.test.', '192.168.0.1'])
      expect(await dig('web')).toEqual(['vm-001.lab.test.', '192.168.0.1'])
      expect(await dig('note.lab.test', 'TXT')).toEqual(['"a; b"'])
      expect(names.add({ name: '_http._tcp.Lab.test.', type: 'srv', data: '0 5 80 web.lab.test' })).toEqual({
        ...{ name: '_http._tcp.lab.test', type: 'SRV', data: '0 5 80 web.lab.test', ttl: 5, source: 'added' },
      })
      expect(await dig('+tcp', '_http._tcp.lab.test', 'SRV')).toEqual(['0 5 80 web.lab.test.'])
      expect(await dig('any.apps.lab.test')).toEqual(['192.0.2.1'])
      const grown = planCluster(resolveSettings({ options: { nvm: 3, nrouters: 0 } }))
      names.follow(grown)
      expect(await dig('vm-003.lab.test')).toEqual(['192.168.0.3'])
      expect(await dig('_http._tcp.lab.test', 'SRV')).toHaveLength(1)
      expect(names.list()).toEqual(
        expect.arrayContaining([
          { name: 'vm-003.lab.test', type: 'A', data: '192.168.0.3', ttl: 5, source: 'node' },
          { name: 'web', type: 'CNAME', data: 'vm-001.lab.test', ttl: 60, source: 'settings' },
        ]),
      )
      expect(names.remove('WEB', 'cname')).toHaveLength(1)
      expect(names.remove('_http._tcp.lab.test')).toHaveLength(1)
      expect(await dig('web.lab.test')).toEqual([])
      expect(await dig('_http._tcp.lab.test', 'SRV')).toEqual([])
      expect(await dig('note.lab.test', 'TXT')).toHaveLength(1)
    }
    await census.expectUnchanged()
  })

  test('for some nodes are seen by them alone', async () => {
    await using scope = new Scope()
    const { dig, names } = await lab(scope, {
      domain: 'lab.test',
      dnsRecord: '@vm-001 api A 192.0.2.9',
    })
    names.add({ name: 'api.lab.test', type: 'A', data: '192.0.2.1' })
    // The host asks from its own address in these networks.
    expect(await dig('api.lab.test')).toEqual(['192.0.2.1'])
    expect(names.list().filter(({ name }) => name.startsWith('api'))).toEqual([
      { name: 'api', type: 'A', data: '192.0.2.9', ttl: 5, source: 'settings', nodes: ['vm-001'] },
      { name: 'api.lab.test', type: 'A', data: '192.0.2.1', ttl: 5, source: 'added' },
    ])
  })

  test('that are wrong, or stand beside an alias, are refused, and change nothing', async () => {
    await using scope = new Scope()
    const { dig, names } = await lab(scope, { domain: 'lab.test', dnsRecord: 'web.lab.test A 192.0.2.1' })
    const refused = (name: string, type: string, data: string) => {
      try {
        names.add({ name, type, data })
      } catch (failure) {
        return (failure as { code: string }).code
      }
      return 'none'
    }
    expect(refused('web.lab.test', 'CNAME', 'a.test')).toBe('NAME_CONFLICT')
    expect(refused('vm-001.lab.test', 'CNAME', 'a.test')).toBe('NAME_CONFLICT')
    expect(refused('a..b', 'A', '192.0.2.1')).toBe('BAD_RECORD')
    expect(refused('a.lab.test', 'SRV', 'web.lab.test')).toBe('BAD_RECORD')
    expect(() => names.remove('vm-001')).toThrow(expect.objectContaining({ code: 'NAME_MISSING' }) as Error)
    names.add({ name: 'alias.lab.test', type: 'CNAME', data: 'web.lab.test' })
    expect(refused('alias.lab.test', 'A', '192.0.2.1')).toBe('NAME_CONFLICT')
    expect(await dig('alias.lab.test')).toEqual(['web.lab.test.', '192.0.2.1'])
    expect(names.list().filter(({ source }) => source !== 'node')).toHaveLength(2)
  })

  test('need a forwarder, and bridges to tell nodes apart', async () => {
    await using scope = new Scope()
    const { plan, dns } = await lab(scope, {})
    const settings = resolveSettings({})
    const user = new ClusterNames(plan, { dns, settings, fabric: { kind: 'user' } })
    const record = { name: 'a.test', type: 'A', data: '192.0.2.1' }
    expect(() => user.add({ ...record, nodes: [1] })).toThrow(
      expect.objectContaining({ code: 'ASKER_UNKNOWN' }) as Error,
    )
    expect(user.add(record)).toMatchObject({ source: 'added' })
    const none = new ClusterNames(plan, { dns: undefined, settings, fabric: { kind: 'bridge' } })
    for (const use of [() => none.list(), () => none.add(record), () => none.remove('a.test')])
      expect(use).toThrow(expect.objectContaining({ code: 'DNS_OFF' }) as Error)
  })
})

test("a cluster's answers fail by node, and are listed with the nodes' names", async () => {
  await using scope = new Scope()
  const { dig, dns, faults } = await lab(scope, { domain: 'lab.test' })
  const status = async () => {
    const seen = dns.query({ name: 'vm-002.lab.test' })
    await dig('vm-002.lab.test')
    return (await seen).rcode
  }
  const of1 = faults.add({ name: '*.lab.test', fault: 'servfail', nodes: [1, 1], seed: 3 })
  expect(of1).toMatchObject({ id: 1, nodes: ['vm-001'], seed: 3, probability: 1 })
  expect(dns.faults.list()[0]!.askers).toEqual(
    expect.arrayContaining(['192.168.0.1', 'fd00::c0a8:1', '192.168.1.1', 'fd00::c0a8:101']),
  )
  expect(await status()).toBe('NOERROR')
  const ofAll = faults.add({ name: '*.lab.test', fault: 'refused', times: 1 })
  expect(await status()).toBe('REFUSED')
  expect(await status()).toBe('NOERROR')
  expect(faults.clear(ofAll.id)).toMatchObject([{ id: 2, matched: 2, failed: 1 }])
  expect(() => faults.clear(ofAll.id)).toThrow(expect.objectContaining({ code: 'FAULT_MISSING' }) as Error)
  expect(faults.clear()).toHaveLength(1)
  expect(faults.list()).toEqual([])
})

test("a cluster's settings filter addresses and make IPv6 ones", async () => {
  await using scope = new Scope()
  const filtered = await lab(scope, { dnsFilter: 'aaaa' })
  expect(await filtered.dig('vm-001', 'AAAA')).toEqual([])
  expect(await filtered.dig('vm-001', 'A')).toEqual(['192.168.0.1'])
  const mapped = await lab(scope, { dns64: 'on', dnsSpoof: 'v4.test=198.51.100.1' })
  expect(await mapped.dig('v4.test', 'AAAA')).toEqual(['64:ff9b::c633:6401'])
  const own = await lab(scope, { dns64: '2001:db8:64::/96', dnsSpoof: 'v4.test=192.168.9.9' })
  expect(await own.dig('v4.test', 'AAAA')).toEqual(['2001:db8:64::c0a8:909'])
})
