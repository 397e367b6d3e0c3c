import { describe, expect, test } from 'vitest'
import { guestMessage, readAnswer } from '../../../src/guest/message.ts'
import type { GuestStep } from '../../../src/guest/step.ts'
import { configureSteps } from '../../../src/guest/steps.ts'
import { planCluster } from '../../../src/plan/cluster.ts'
import { resolveSettings, type SettingOptions } from '../../../src/plan/index.ts'
import { setupOf } from '../../../src/plan/node.ts'
import type { SetupRule } from '../../../src/plan/topology/topology.ts'
import { answerBytes } from '../../support/fake-guest.ts'

const seed = Uint8Array.from({ length: 48 }, (_, index) => index)
const given = { nowNs: 1_700_000_000_000_000_000n, seed, scripts: true }

function steps(id: number, options: SettingOptions, clone = false): GuestStep[] {
  const plan = planCluster(resolveSettings({ options }))
  return configureSteps(plan.nodes.find(node => node.id === id)!, { clone, ...given })
}
const about = (all: readonly GuestStep[]) => all.map(step => step.about)
const content = (all: readonly GuestStep[], path: string) =>
  all.flatMap(step => ('path' in step && 'content' in step && step.path === path ? step.content : []))

describe('configuration', () => {
  test('a node that booted gets its clock, its other nets and its routes, but not net 0', () => {
    expect(about(steps(1, {}))).toEqual([
      'set the clock',
      'write /proc/sys/net/ipv4/fib_multipath_hash_policy',
      'write /proc/sys/net/ipv6/fib_multipath_hash_policy',
      'change link eth1',
      'add address 192.168.1.1/24 (eth1)',
      'add address fd00::c0a8:101/120 (eth1)',
      'replace route default',
      'replace route default',
      'run /etc/init.d/*.rc',
    ])
  })

  test('a router that is a clone gets its identity, all nets, routes and masquerading', () => {
    expect(about(steps(201, { nrouters: 1 }, true))).toEqual([
      'reseed the random number generator',
      'set the clock',
      'write /proc/sys/kernel/hostname',
      'write /etc/hostname',
      'write /etc/machine-id',
      'write /proc/sys/net/ipv4/ip_forward',
      'write /proc/sys/net/ipv6/conf/all/forwarding',
      'change link eth0',
      'add address 192.168.0.201/24 (eth0)',
      'add address fd00::c0a8:c9/120 (eth0)',
      'change link eth1',
      'change link eth2',
      'add address 192.168.1.201/24 (eth1)',
      'add address fd00::c0a8:1c9/120 (eth1)',
      'add address 192.168.2.201/24 (eth2)',
      'add address fd00::c0a8:2c9/120 (eth2)',
      'replace route default',
      'replace route default',
      'masquerade 192.168.1.0/24, fd00::c0a8:100/120, 192.168.2.0/24, fd00::c0a8:200/120',
      'run /etc/init.d/*.rc',
    ])
  })

  test('a clone gets the files that init would have written from the kernel command line', () => {
    const all = steps(1, { prefix: 'fd01:', append: "xcluster_A=b=c xcluster_Q='x' other xcluster_E=" }, true)
    expect(content(all, '/etc/profile')).toEqual(["export PREFIX='fd01:'\nexport A='b=c'\nexport E=''\n"])
    expect(content(all, '/etc/hosts')[0]).toContain('\nfd01::192.168.0.7 vm-007\n')
    expect(content(all, '/etc/machine-id')).toEqual(['000102030405460788090a0b0c0d0e0f\n'])
    expect(content(all, '/etc/hostname')).toEqual(['vm-001\n'])
    const random = all.find(step => step.kind === 'random')
    expect(random).toMatchObject({ bytes: seed.subarray(16) })
    expect(content(steps(1, {}, true), '/etc/hosts')).toEqual([])
  })

  test('a clone gets the MTU and the MAC of a link in one message', () => {
    const link = steps(1, { mtu: 9000 }, true).find(step => step.about === 'change link eth1')!
    const hex = Buffer.from('bytes' in link ? link.bytes : []).toString('hex')
    expect(hex).toContain('0a000100000000010101')
    expect(hex).toContain('0800040028230000')
  })
})

/** Parts of a topology that xnet does not use. */
describe('setup rules', () => {
  const plan = planCluster(resolveSettings({ options: { netsVm: '0,1,4', nrouters: 2 } }))
  const wired = plan.nodes.map(({ id, nets }) => ({ id, nets: nets.map(({ net }) => net) }))
  const told = (rule: Omit<SetupRule, 'of'>) => {
    const setup = setupOf(wired[0]!, { of: 1, ...rule }, { all: wired, prefix: 'fd00:' })
    const options = { ...given, clone: false, scripts: false }
    return configureSteps({ name: '', append: '', nets: [], setup }, options).slice(1)
  }

  test('an interface can have a routing table of its own', () => {
    const table = { ipv4: 300, ipv6: 301 }
    const route = { to: 'default', via: [{ net: 4, node: 202 }], table } as const
    expect(about(told({ routes: [route], rules: [{ net: 4, ...table }] }))).toEqual([
      ...['replace route default', 'replace route default'],
      ...['add rule oif eth2 table 300', 'add rule oif eth2 table 301'],
    ])
  })

  test('a guest can bridge its interfaces, and routes then lead through the bridge', () => {
    const bridge = { name: 'br1', mac: '00:00:00:01:01:01', nets: [1, 4], address: 1 }
    const all = told({ bridges: [bridge], routes: [{ to: 'default', via: [{ net: 4 }] }] })
    expect(about(all)).toEqual([
      ...['create bridge br1', 'change link eth1', 'change link eth2', 'change link br1'],
      ...['add address 192.168.1.1/24 (br1)', 'add address fd00::c0a8:101/120 (br1)'],
      ...['replace route default', 'replace route default'],
    ])
    expect(all.at(-1)).toMatchObject({ places: [{ name: 'br1' }] })
  })
})

test('a message consists of its steps, each padded to four bytes', () => {
  const bytes = guestMessage(7, [
    { kind: 'write', path: '/a', content: 'b', about: '' },
    { kind: 'clock', ns: 1n, about: '' },
    { kind: 'route', bytes: Uint8Array.of(1, 2, 3, 4), places: [{ offset: 0, name: 'eth0' }], about: '' },
  ])
  expect(Buffer.from(bytes).toString('hex')).toBe(
    [
      '40000000' + '01000000' + '07000000',
      '04000000' + '01000000' + '2f610062',
      '08000000' + '05000000' + '0100000000000000',
      `1c000000030000000100000000000000${'65746830'.padEnd(32, '0')}01020304`,
    ].join(''),
  )
})

test('a file for the root of a guest has mode, owner, path and content', () => {
  const content = Buffer.from('hi')
  const entry = { path: 'a', kind: 'file', mode: 0o755, uid: 1, gid: 2, content } as const
  expect(Buffer.from(guestMessage(1, [{ kind: 'put', entry, about: '' }])).toString('hex')).toBe(
    [
      '24000000' + '01000000' + '01000000',
      '19000000' + '08000000',
      'ed010000' + '01000000' + '02000000',
      '0'.repeat(16),
      '2f61006869' + '000000',
    ].join(''),
  )
})

test.for([
  ['7 ok 1700000000000000000', { number: 7, ok: true, clockNs: 1_700_000_000_000_000_000n }],
  ['7 failed 3 17 ', { number: 7, ok: false, step: 3, reason: 'File exists (EEXIST)' }],
  [
    '7 failed 3 101 Nexthop has invalid gateway.',
    {
      number: 7,
      ok: false,
      step: 3,
      reason: 'Nexthop has invalid gateway: Network is unreachable (ENETUNREACH)',
    },
  ],
] as const)("a guest's answer %j is decoded", ([text, answer]) => {
  expect(readAnswer(7, answerBytes(text).subarray(12))).toEqual(answer)
})

test("a guest's answer that is too short is refused with the place", () => {
  expect(() => readAnswer(7, new Uint8Array(15))).toThrow(/offset 8/)
})
