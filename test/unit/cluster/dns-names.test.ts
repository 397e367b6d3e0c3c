import { describe, expect, test } from 'vitest'
import { listenAddresses } from '../../../src/cluster/dns/forwarder.ts'
import { ownNames } from '../../../src/cluster/dns/names.ts'
import { planCluster } from '../../../src/plan/cluster.ts'
import { resolveSettings, type SettingOptions } from '../../../src/plan/index.ts'

const namesOf = (options: SettingOptions) => {
  const settings = resolveSettings({ options })
  return ownNames(planCluster(settings), settings)
}

describe('DNS names of a cluster', () => {
  test('each node has a name for its addresses on net 0, and one for each of its nets', () => {
    const { hosts, nets } = namesOf({ nvm: 1, nrouters: 1 })
    expect(hosts).toEqual([
      { name: 'vm-001', addresses: ['192.168.0.1', 'fd00::c0a8:1'] },
      { name: 'vm-001.0', addresses: ['192.168.0.1', 'fd00::c0a8:1'] },
      { name: 'vm-001.1', addresses: ['192.168.1.1', 'fd00::c0a8:101'] },
      { name: 'vm-201', addresses: ['192.168.0.201', 'fd00::c0a8:c9'] },
      { name: 'vm-201.0', addresses: ['192.168.0.201', 'fd00::c0a8:c9'] },
      { name: 'vm-201.1', addresses: ['192.168.1.201', 'fd00::c0a8:1c9'] },
      { name: 'vm-201.2', addresses: ['192.168.2.201', 'fd00::c0a8:2c9'] },
    ])
    expect(nets).toEqual([0, 1, 2].flatMap(net => [`192.168.${net}.0/24`, expect.stringMatching(/\/120$/)]))
  })

  test('names have the IPv6 prefix, leave out nets without addresses, and use those of guest bridges', () => {
    const names = (options: SettingOptions) =>
      Object.fromEntries(namesOf(options).hosts.map(({ name, addresses }) => [name, addresses.join(' ')]))
    expect(names({ nvm: 1, prefix: '1000::1' })['vm-001.1']).toBe('192.168.1.1 1000::1:c0a8:101')
    const plan = planCluster(resolveSettings({ options: { nvm: 1, nrouters: 1 } }))
    const [node, router] = plan.nodes
    const bare = { ...node!, nets: node!.nets.map(({ ipv4: _, ipv6: _6, ...net }) => net) }
    expect(ownNames({ ...plan, nodes: [bare] }, { dnsSpoof: [], dnsRecord: [], domain: '' }).hosts).toEqual(
      [],
    )
    const bridge = {
      name: 'br1',
      mac: '',
      ports: ['eth1', 'eth2'],
      ipv4: '192.168.1.201',
      ipv6: 'fd00::c0a8:1c9',
    }
    const bridging = { ...router!, setup: { ...router!.setup, bridges: [bridge] } }
    const { hosts } = ownNames({ ...plan, nodes: [bridging] }, { dnsSpoof: [], dnsRecord: [], domain: '' })
    expect(hosts.slice(2)).toEqual([
      { name: 'vm-201.1', addresses: ['192.168.1.201', 'fd00::c0a8:1c9'] },
      { name: 'vm-201.2', addresses: ['192.168.1.201', 'fd00::c0a8:1c9'] },
    ])
  })

  test('spoofed names come after the names of nodes', () => {
    const { hosts } = namesOf({ nvm: 1, nrouters: 0, dnsSpoof: 'a.test=192.0.2.1,*.b.test=fd00::1' })
    expect(hosts.slice(-2)).toEqual([
      { name: 'a.test', addresses: ['192.0.2.1'] },
      { name: '*.b.test', addresses: ['fd00::1'] },
    ])
  })

  test('with a domain the full names come first, so that reverse names are full', () => {
    const { hosts, domains } = namesOf({ nvm: 1, nrouters: 0, domain: 'Lab.Test.' })
    expect(hosts.map(({ name }) => name)).toEqual([
      ...['vm-001.lab.test', 'vm-001.0.lab.test', 'vm-001.1.lab.test'],
      ...['vm-001', 'vm-001.0', 'vm-001.1'],
    ])
    expect(hosts[2]!.addresses).toEqual(hosts[5]!.addresses)
    expect(domains).toEqual(['lab.test'])
  })

  test('every name in the form of a node name is answered by the forwarder, never by an upstream', () => {
    const { ours } = namesOf({})
    for (const name of ['vm-007', 'VM-240.255']) expect(ours!.test(name)).toBe(true)
    for (const name of ['vm-1', 'vm-001.example.org', 'avm-001']) expect(ours!.test(name)).toBe(false)
  })
})

test('the forwarder listens on port 53 of the host on net 0, and on port 10053 of all addresses', () => {
  const places = (options: SettingOptions) => listenAddresses(planCluster(resolveSettings({ options })))
  expect(places({})).toEqual(['192.168.0.250:53', '[fd00::c0a8:fa]:53', '[::]:10053'])
  expect(places({ hostNets: 'none' })).toEqual(['[::]:10053'])
})
