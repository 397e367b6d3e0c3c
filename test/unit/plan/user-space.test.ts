import { describe, expect, test } from 'vitest'
import {
  forwardsOf,
  planBridges,
  planUnpluggedNics,
  planUserNics,
  planUserSpace,
  resolveSettings,
  segmentOf,
} from '../../../src/plan/index.ts'
import { refused } from '../../support/refused.ts'

const wiring = resolveSettings({})
const planOf = (...nodes: { id: number; nets: number[] }[]) =>
  planBridges({ mtu: 1500, nodes, host: new Map() })

describe('interfaces of a user-space network', () => {
  test('use a router of their own on net 0 and multicast segments on the others, all on loopback', () => {
    const nics = planUserNics(planOf({ id: 2, nets: [0, 3, 1] }), 2, wiring)
    expect(nics.map(({ args }) => args)).toEqual([
      [
        '-netdev',
        'user,net=192.168.0.0/24,host=192.168.0.250,dns=192.168.0.251,dhcpstart=192.168.0.2,' +
          'ipv6-prefix=fd00::c0a8:0,ipv6-prefixlen=120,ipv6-host=fd00::c0a8:fa,ipv6-dns=fd00::c0a8:fb,' +
          'hostfwd=tcp:127.0.0.1:12002-192.168.0.2:23,hostfwd=tcp:127.0.0.1:12302-192.168.0.2:22,id=net0',
        '-device',
        'virtio-net-pci,netdev=net0,id=nic0,mac=00:00:00:01:00:02,romfile=',
      ],
      [
        '-netdev',
        'socket,mcast=224.0.0.123:27030,localaddr=127.0.0.1,id=net1',
        '-device',
        'virtio-net-pci,netdev=net1,id=nic1,mac=00:00:00:01:03:02,romfile=',
      ],
      [
        '-netdev',
        'socket,mcast=224.0.0.121:27030,localaddr=127.0.0.1,id=net2',
        '-device',
        'virtio-net-pci,netdev=net2,id=nic2,mac=00:00:00:01:01:02,romfile=',
      ],
    ])
  })

  test('have the IPv6 prefix of the cluster', () => {
    const [net0] = planUserNics(planOf({ id: 1, nets: [0] }), 1, { ...wiring, prefix: '1000::1' })
    expect(net0!.args[1]).toContain('ipv6-prefix=1000::1:c0a8:0,')
    expect(net0!.args[1]).toContain('ipv6-host=1000::1:c0a8:fa,')
  })

  test('of a template are the same devices, and use nothing of the host', () => {
    expect(planUnpluggedNics(['00:00:00:01:00:02'])).toEqual([
      {
        args: [
          '-netdev',
          'hubport,hubid=0,id=net0',
          '-device',
          'virtio-net-pci,netdev=net0,id=nic0,mac=00:00:00:01:00:02,romfile=',
        ],
        fds: [],
      },
    ])
  })
})

describe('forwarded ports of a user-space network', () => {
  test('lead to telnet and ssh of every node, and to Kubernetes on node 1', () => {
    const shown = (node: number) => forwardsOf(node, wiring).map(({ from, to }) => `${from}→${to}`)
    expect(shown(1)).toEqual(['12001→23', '12301→22', '18080→8080', '7443→6443'])
    expect(shown(221)).toEqual(['12221→23', '12521→22'])
  })

  test('are off when their base is 0', () => {
    const none = { ...wiring, telnetBase: 0, sshBase: 0, k8sPort: 0, k8sApiPort: 0 }
    expect(forwardsOf(1, none)).toEqual([])
  })
})

describe('a user-space network is refused', () => {
  test('when a net is 131 or above, because its group is not free', () => {
    expect(segmentOf(130)).toEqual({ group: '224.0.0.250', port: 27030 })
    expect(refused(() => segmentOf(131))).toMatchObject({
      code: 'SEGMENT_NUMBER',
      kind: 'usage',
      target: 'net 131',
      remedy: expect.stringContaining('nets 1 to 130'),
    })
    expect(refused(() => planUserSpace(planOf({ id: 1, nets: [0, 200] }), wiring))).toMatchObject({
      code: 'SEGMENT_NUMBER',
    })
  })

  test('when net 0 is to be a multicast segment', () => {
    expect(refused(() => segmentOf(0)).reason).toContain('not a multicast segment')
  })

  test('when base ports are so close that one port would be forwarded to two nodes', () => {
    const plan = planOf({ id: 1, nets: [0] }, { id: 101, nets: [0] })
    expect(refused(() => planUserSpace(plan, { ...wiring, sshBase: 12_100 }))).toMatchObject({
      code: 'USER_NETWORK',
      target: 'port 12101',
      reason: 'it would be forwarded both to ssh of node 1 and to telnet of node 101',
    })
  })

  test('when its MTU makes frames larger than a datagram', () => {
    const plan = { ...planOf({ id: 1, nets: [0, 1] }), mtu: 65_494 }
    expect(refused(() => planUserSpace(plan, wiring)).remedy).toBe('Use 65493 or less')
    expect(() => planUserSpace({ ...plan, mtu: 65_493 }, wiring)).not.toThrow()
  })
})
