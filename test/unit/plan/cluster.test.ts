import { describe, expect, test } from 'vitest'
import { kernelLineWith, templateWord } from '../../../src/base/index.ts'
import { idsOf, nodeName, roleOf } from '../../../src/base/roles.ts'
import { planCluster } from '../../../src/plan/cluster.ts'
import { resolveSettings, type SettingOptions } from '../../../src/plan/index.ts'

const plan = (options: SettingOptions = {}) => planCluster(resolveSettings({ options }))
const node = (id: number, options: SettingOptions = {}) => plan(options).nodes.find(each => each.id === id)!

describe('the roles of nodes', () => {
  test('follow from the id', () => {
    const ids = [0, 1, 200, 201, 220, 221, 240, 241, 250, 1.5]
    expect(ids.map(roleOf)).toEqual([
      undefined,
      'vm',
      'vm',
      'router',
      'router',
      'tester',
      'tester',
      undefined,
      undefined,
      undefined,
    ])
    expect(idsOf('tester', 2)).toEqual([221, 222])
    expect([nodeName(3), nodeName(201)]).toEqual(['vm-003', 'vm-201'])
  })
})

describe('the plan of xnet', () => {
  test('has four nodes and two routers by default', () => {
    expect(plan().nodes.map(({ id }) => id)).toEqual([1, 2, 3, 4, 201, 202])
    expect(plan({ nvm: 1, nrouters: 0, ntesters: 1 }).nodes.map(({ id }) => id)).toEqual([1, 221])
  })

  test('gives a node its number in the addresses of each of its nets', () => {
    expect(node(1).nets).toEqual([
      {
        net: 0,
        dev: 'eth0',
        tap: 'xcbr0_t1',
        mac: '00:00:00:01:00:01',
        ipv4: '192.168.0.1',
        ipv6: 'fd00::c0a8:1',
      },
      {
        net: 1,
        dev: 'eth1',
        tap: 'xcbr1_t1',
        mac: '00:00:00:01:01:01',
        ipv4: '192.168.1.1',
        ipv6: 'fd00::c0a8:101',
      },
    ])
    expect(node(201).nets.map(({ dev, net, mac }) => [dev, net, mac])).toEqual([
      ['eth0', 0, '00:00:00:01:00:c9'],
      ['eth1', 1, '00:00:00:01:01:c9'],
      ['eth2', 2, '00:00:00:01:02:c9'],
    ])
    expect(node(221, { ntesters: 1 }).nets.map(({ ipv4 }) => ipv4)).toEqual([
      '192.168.0.221',
      '192.168.2.221',
    ])
  })

  test("names interfaces by position in the list, and prefers a node's own nets to its role's", () => {
    const devs = (options: SettingOptions) => node(1, options).nets.map(({ dev, net }) => `${dev}=${net}`)
    expect(devs({ netsVm: [0, 3, 2] })).toEqual(['eth0=0', 'eth1=3', 'eth2=2'])
    expect(devs({ netsVm: [0, 3, 2], nets1: '0,7' })).toEqual(['eth0=0', 'eth1=7'])
  })

  test('uses another IPv6 prefix everywhere, and passes it to the guest', () => {
    const options = { prefix: '1000::1' }
    expect(node(1, options).nets[1]!.ipv6).toBe('1000::1:c0a8:101')
    expect(node(1, options).append).toBe('xcluster_PREFIX=1000::1')
    expect(plan(options).bridges.bridges[0]!.addresses[1]).toEqual({
      address: '1000::1:c0a8:fa',
      prefix: 120,
    })
  })

  test('builds the kernel command line: MTUs of nets, then parameters for all nodes, then those for one', () => {
    const options = { mtu: 9000, netsVm: '0,3', append: 'a', append1: 'b=1', mem1: 112, smp: 1 }
    expect(node(1, options)).toMatchObject({ append: 'mtu0=9000 mtu3=9000 a b=1', memMiB: 112, vcpus: 1 })
    expect(node(1, { ...options, mtu0: 1500, mtu3: 4000 }).append).toBe('mtu3=4000 a b=1')
  })

  test('has ECMP routes over all routers in both families, and no default route without routers', () => {
    expect(node(1).setup.routes).toEqual([
      {
        to: 'default',
        hops: [
          { dev: 'eth1', ipv4: '192.168.1.201', ipv6: 'fd00::c0a8:1c9' },
          { dev: 'eth1', ipv4: '192.168.1.202', ipv6: 'fd00::c0a8:1ca' },
        ],
      },
    ])
    expect(node(1, { nrouters: 0 }).setup.routes).toEqual([])
    expect(node(1, { netsVm: '0' }).setup.routes).toEqual([])
  })

  test('makes routers forward and masquerade', () => {
    expect(node(201).setup).toEqual({
      forwarding: true,
      routes: [{ to: 'default', hops: [{ dev: 'eth0', ipv4: '192.168.0.250', ipv6: 'fd00::c0a8:fa' }] }],
      rules: [],
      masquerade: [
        { ipv4: '192.168.1.0/24', ipv6: 'fd00::c0a8:100/120' },
        { ipv4: '192.168.2.0/24', ipv6: 'fd00::c0a8:200/120' },
      ],
      bridges: [],
    })
  })

  test('gives the host addresses on nets 0 and 2 by default, or on the nets in the settings', () => {
    const host = (options: SettingOptions) =>
      plan(options).bridges.bridges.map(({ name, mac, addresses }) => [name, mac, addresses[0]?.address])
    expect(host({})).toEqual([
      ['xcbr0', '00:00:00:01:00:fa', '192.168.0.250'],
      ['xcbr1', '00:00:00:01:01:fa', undefined],
      ['xcbr2', '00:00:00:01:02:fa', '192.168.2.250'],
    ])
    expect(host({ hostNets: '1', nrouters: 0 }).map(([name, , address]) => [name, address])).toEqual([
      ['xcbr0', undefined],
      ['xcbr1', '192.168.1.250'],
    ])
  })

  test('is the same after a trip through JSON', () => {
    expect(JSON.parse(JSON.stringify(plan()))).toEqual(plan())
  })
})

test.each([
  [{ topology: 'ring' }, 'UNKNOWN_TOPOLOGY', 'Use one of: xnet'],
  [{ nvm: 0, nrouters: 0 }, 'NO_NODES', '`nvm` 1'],
])('%j cannot be planned, and the error says why', (options, code, words) => {
  expect(() => plan(options)).toThrow(expect.objectContaining({ code, kind: 'usage' }))
  expect(() => plan(options)).toThrow(words)
})

test('a kernel command line may have all bytes that Linux reads, and one more is refused with the number that fits', () => {
  const planned = (append: string) =>
    planCluster(resolveSettings({ options: { nvm: 1, nrouters: 0, append } }))
  const fits = 2047 - kernelLineWith([templateWord, ''], { emulated: true }).length - 1
  expect(planned('é'.repeat(Math.floor(fits / 2)))).toMatchObject({ nodes: [{ id: 1 }] })
  expect(planned('x'.repeat(fits)).nodes[0]!.append).toHaveLength(fits)
  expect(() => planned('x'.repeat(fits + 1))).toThrow(
    expect.objectContaining({
      code: 'KERNEL_LINE',
      kind: 'usage',
      target: 'vm-001',
      reason: 'the command line of its kernel would have 2048 bytes, and Linux reads 2047',
      remedy: `Use at most ${fits} bytes of \`append\` for it`,
    }),
  )
  expect(() => planned('é'.repeat(fits / 2 + 1))).toThrow('Linux reads 2047')
})

test('a node may be on 27 nets, and is refused 28, the slots of its machine', () => {
  const planned = (count: number) =>
    planCluster(
      resolveSettings({
        options: { nvm: 1, nrouters: 0, nets1: Array.from({ length: count }, (_, net) => net) },
      }),
    )
  expect(planned(27).nodes[0]!.nets).toHaveLength(27)
  expect(() => planned(28)).toThrow(
    'plan node vm-001: it would have 28 interfaces, and a virtual machine has slots for 27',
  )
})

test('a node needs memory for each of its processors, and the error says how much', () => {
  const planned = (mem: number) =>
    planCluster(resolveSettings({ options: { nvm: 1, nrouters: 0, smp: 64, mem } }))
  expect(planned(131).nodes[0]!.memMiB).toBe(131)
  expect(() => planned(130)).toThrow(
    'plan node vm-001: its kernel cannot boot with 130 MiB and 64 processors. Give it at least 131 MiB (`mem`)',
  )
})
