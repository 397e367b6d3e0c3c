import { describe, expect, test } from 'vitest'
import { type SeedOptions, seedFiles, writeSeed } from '../../../src/guest/seed/seed.ts'
import { readIso } from '../../../src/image/index.ts'
import { planCluster, resolveSettings, type SettingOptions } from '../../../src/plan/index.ts'

const usual: SeedOptions = {
  ...{ keys: [], own: {}, dns: true, domain: '', instance: '0123' },
  program: new TextEncoder().encode('program'),
}
function nodeOf(id: number, options: SettingOptions = {}) {
  return planCluster(resolveSettings({ options })).nodes.find(node => node.id === id)!
}
function read(id: number, options: SettingOptions = {}, more: Partial<SeedOptions> = {}) {
  const files = seedFiles(nodeOf(id, options), { ...usual, ...more })
  const text = (name: string) => Buffer.from(files[name]!).toString()
  return {
    names: Object.keys(files),
    text,
    json: (name: string) => JSON.parse(text(name).replace(/^#.*\n/, '')) as unknown,
  }
}

describe('the seed for cloud-init', () => {
  test('gives a node its name, its keys, and an instance of its own', () => {
    expect(read(1, {}, { keys: ['ssh-ed25519 AAAA me@here'] }).json('meta-data')).toEqual({
      'instance-id': 'vm-001-0123',
      'local-hostname': 'vm-001',
      'public-keys': ['ssh-ed25519 AAAA me@here'],
    })
  })

  test('finds interfaces by their MACs, and gives them the addresses of the plan', () => {
    expect(read(3, { nrouters: 1, mtu1: 9000 }, { domain: 'lab.test' }).json('network-config')).toEqual({
      version: 2,
      ethernets: {
        eth0: {
          match: { macaddress: '00:00:00:01:00:03' },
          'set-name': 'eth0',
          ...{ dhcp4: false, dhcp6: false, 'accept-ra': false },
          addresses: ['192.168.0.3/24', 'fd00::c0a8:3/120'],
          nameservers: { addresses: ['192.168.0.250'], search: ['lab.test'] },
        },
        eth1: {
          match: { macaddress: '00:00:00:01:01:03' },
          'set-name': 'eth1',
          ...{ dhcp4: false, dhcp6: false, 'accept-ra': false },
          addresses: ['192.168.1.3/24', 'fd00::c0a8:103/120'],
          mtu: 9000,
          routes: [
            { to: '0.0.0.0/0', via: '192.168.1.201' },
            { to: '::/0', via: 'fd00::c0a8:1c9' },
          ],
        },
      },
    })
  })

  test('brings xcluster-guest to a guest that does not have it, and a script that starts it', () => {
    const { names, json, text } = read(1)
    expect(names).toContain('xcluster-guest')
    expect(text('vendor-data')).toMatch(/^#cloud-config-archive\n/)
    const parts = json('vendor-data') as { type: string; content: string }[]
    expect(parts.map(({ type }) => type)).toEqual(['text/cloud-config', 'text/cloud-boothook'])
    expect(parts[1]!.content).toMatch(/^#!\/bin\/sh\n/)
  })

  test('leaves the network to a guest that has xcluster-guest', () => {
    const { names, json } = read(1, {}, { program: undefined })
    expect(names).not.toContain('xcluster-guest')
    expect(json('network-config')).toEqual({ network: { config: 'disabled' } })
    expect(json('vendor-data')).toHaveLength(1)
  })

  test('has files of the user in place of its own', () => {
    const own = { 'user-data': new TextEncoder().encode('#!/bin/sh\n'), extra: new Uint8Array(3) }
    const { names, text } = read(1, {}, { own })
    expect(text('user-data')).toBe('#!/bin/sh\n')
    expect(names).toContain('extra')
  })

  test('is an ISO 9660 image with the label that cloud-init looks for', () => {
    const image = writeSeed(nodeOf(1), usual)
    expect(Buffer.from(image).toString('latin1', 16 * 2048 + 40, 16 * 2048 + 46)).toBe('cidata')
    expect(readIso(image).map(({ path }) => path)).toEqual([
      ...['meta-data', 'network-config', 'user-data', 'vendor-data', 'xcluster-guest'],
    ])
  })
})
