import { describe, expect, test } from 'vitest'
import {
  planCluster,
  reachTargets,
  resolveSettings,
  type SettingOptions,
  topologies,
} from '../../../src/plan/index.ts'

const plan = (options: SettingOptions) => planCluster(resolveSettings({ options }))
const nodeOf = (options: SettingOptions, id: number) => plan(options).nodes.find(node => node.id === id)!

/** By topology: the settings, and who reaches which address (node → net.number), as the contract of the original says. */
const acceptance: Readonly<Record<string, readonly [SettingOptions, readonly string[]]>> = {
  xnet: [{ ntesters: 1 }, ['1 → 2.221', '221 → 1.2']],
  'dual-path': [{}, ['1 → 2.221', '221 → 1.2', '1 → 6.221', '1 → 6.222', '221 → 4.1']],
  multihop: [{ ntesters: 1 }, ['1 → 2.221', '221 → 1.2']],
  zones: [{ ntesters: 1 }, ['1 → 2.221', '221 → 1.2', '10 → 2.221', '1 → 3.10', '20 → 2.221', '1 → 4.20']],
  backend: [{ ntesters: 2 }, ['1 → 2.221', '1 → 2.222', '221 → 3.2', '222 → 3.2']],
  bridge: [{ ntesters: 1 }, ['1 → 1.221', '221 → 1.2']],
  multilan: [{ ntesters: 1 }, ['1 → 2.221', '221 → 1.2']],
  'multilan-router': [{ ntesters: 1 }, ['1 → 2.221', '221 → 1.2']],
  'evil-tester': [{}, ['1 → 2.221', '221 → 1.2']],
  diamond: [{}, ['1 → 2.221', '221 → 1.2']],
  'x-diamond': [{}, ['1 → 2.221', '221 → 1.2']],
}

describe('every named topology', () => {
  test('is here, with what it is accepted by', () => {
    expect(topologies.map(({ name }) => name).sort()).toEqual(Object.keys(acceptance).sort())
  })

  test.each(Object.entries(acceptance))(
    '%s lets its nodes reach each other',
    (topology, [options, pairs]) => {
      const targets = reachTargets(plan({ topology, ...options }))
      const reached = new Set(targets.map(({ from, address }) => `${from} → ${address}`))
      for (const pair of pairs) {
        const [from = '', to = ''] = pair.split(' → ')
        const [net, id] = to.split('.').map(Number)
        const low = ((net! << 8) | id!).toString(16)
        expect(reached, pair).toContain(`${from} → 192.168.${to}`)
        expect(reached, `${pair} (IPv6)`).toContain(`${from} → fd00::c0a8:${low}`)
      }
    },
  )

  test('needs as many routers and testers as it routes by', () => {
    for (const { name } of topologies.filter(({ routers }) => routers.atLeast))
      expect(() => plan({ topology: name, nrouters: 0 }), name).toThrow('needs at least')
  })

  test('takes another number of nodes', () => {
    for (const { name } of topologies)
      expect(plan({ topology: name, nvm: 2 }).nodes.length).toBeGreaterThan(1)
  })
})

describe('the routes of', () => {
  test('dual-path: a socket bound to eth2 takes the second path', () => {
    const { routes, rules } = nodeOf({ topology: 'dual-path' }, 1).setup
    expect(rules).toEqual([{ dev: 'eth2', ipv4: 300, ipv6: 301 }])
    expect(routes).toContainEqual({
      to: 'default',
      hops: [{ dev: 'eth2', ipv4: '192.168.4.202', ipv6: 'fd00::c0a8:4ca' }],
      table: { ipv4: 300, ipv6: 301 },
    })
  })

  test('diamond: the routers at the edges have two next hops, and those between no default route', () => {
    const hops = (id: number) => nodeOf({ topology: 'diamond' }, id).setup.routes
    expect(
      hops(201)
        .find(({ to }) => to !== 'default')
        ?.hops.map(({ ipv4 }) => ipv4),
    ).toEqual(['192.168.3.203', '192.168.4.204'])
    expect(hops(203).map(({ to }) => to)).not.toContain('default')
  })

  test('bridge: a bridge in vm-201 has its address, and its ports have none', () => {
    const { nets, setup } = nodeOf({ topology: 'bridge' }, 201)
    expect(nets.map(({ ipv4 }) => ipv4)).toEqual(['192.168.0.201', undefined, undefined])
    expect(setup.bridges).toEqual([
      {
        name: 'br1',
        mac: '00:00:01:01:01:c9',
        ports: ['eth1', 'eth2'],
        ipv4: '192.168.1.201',
        ipv6: 'fd00::c0a8:1c9',
      },
    ])
    expect(nodeOf({ topology: 'bridge', ntesters: 1 }, 221).nets[1]!.ipv4).toBe('192.168.1.221')
  })

  test('evil-tester: the second tester forwards', () => {
    expect(nodeOf({ topology: 'evil-tester' }, 222).setup.forwarding).toBe(true)
    expect(nodeOf({ topology: 'evil-tester' }, 221).setup.forwarding).toBe(false)
  })
})

describe('settings for topologies', () => {
  test('XLAN_TEMPLATE: nets that multilan-router leaves without addresses have them by the template', () => {
    const ipv4s = (options: SettingOptions, id: number) =>
      nodeOf({ topology: 'multilan-router', ...options }, id).nets.map(({ ipv4 }) => ipv4)
    expect(ipv4s({}, 1).slice(2)).toEqual([undefined, undefined, undefined])
    const xlanTemplate = '169.254.0.0/20/24'
    expect(ipv4s({ xlanTemplate }, 1).slice(2)).toEqual(['169.254.3.1', '169.254.4.1', '169.254.5.1'])
    expect(ipv4s({ xlanTemplate }, 202).slice(2)).toEqual([
      '192.168.2.202',
      '169.254.3.202',
      '169.254.4.202',
      '169.254.5.202',
    ])
    expect(nodeOf({ topology: 'multilan-router', xlanTemplate }, 1).nets[2]!.ipv6).toBe('fd00::a9fe:301')
    const targets = reachTargets(plan({ topology: 'multilan-router', xlanTemplate }))
    const from202 = targets.filter(({ from }) => from === 202).map(({ address }) => address)
    expect(from202).toEqual(expect.arrayContaining(['169.254.3.1', '169.254.4.2', '169.254.5.3']))
  })

  test.each(['169.254.0.0', '169.254.1.0/20/24', '169.254.0.0/24/20', '169.254.0.0/20/25', '300.0.0.0/8/24'])(
    'XLAN_TEMPLATE is not %s',
    xlanTemplate => {
      expect(() => plan({ xlanTemplate })).toThrow('is not a template such as')
    },
  )

  test('DISABLE_MASQUERADE: routers change no addresses', () => {
    expect(nodeOf({}, 201).setup.masquerade).toHaveLength(2)
    expect(nodeOf({ disableMasquerade: 'yes' }, 201).setup.masquerade).toEqual([])
  })
})
