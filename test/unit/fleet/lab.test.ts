import { describe, expect, test } from 'vitest'
import { labDigest, placeLab, planLab, planOn, tunnelsOn } from '../../../src/fleet/lab.ts'
import { reachTargets, resolveSettings, type SettingOptions, topologyOf } from '../../../src/plan/index.ts'

const settingsOf = (options: SettingOptions = {}) => resolveSettings({ options: { nvm: 4, ...options } })
const placement = new Map([
  [1, 0],
  [2, 0],
  [3, 1],
  [4, 1],
  [201, 0],
  [202, 0],
])
const between = { placement, mtu: 1450, job: '7' }
const addresses = ['10.0.0.1', '10.0.0.2']

describe('the plan of a lab over several hosts', () => {
  test('gives nets between hosts the MTU that fits, and the others theirs', () => {
    const lab = planLab(settingsOf(), between)
    expect(lab.nets.map(({ net }) => net)).toEqual([1])
    expect(lab.plan.bridges.mtus).toEqual({ 1: 1450 })
    expect(lab.plan.nodes[0]!.append).toContain('mtu1=1450')
    expect(planLab(settingsOf({ mtu1: 1400 } as SettingOptions), between).plan.bridges.mtus).toEqual({
      1: 1400,
    })
  })

  test('refuses an MTU that was asked for and does not fit, and a host with addresses there', () => {
    expect(() => planLab(settingsOf({ mtu: 9000 }), between)).toThrow(
      'join net 1: between the hosts there is room for an MTU of 1450. Leave out `mtu`',
    )
    const narrow = { mtu: 1200, narrow: 'host 1 (10.0.0.2)' }
    expect(() => planLab(settingsOf(), { ...between, ...narrow })).toThrow(
      'join nets: between the hosts there is room for an MTU of 1200, because of host 1 (10.0.0.2). Raise',
    )
    expect(() => planLab(settingsOf({ hostNets: [0, 1] }), between)).toThrow(
      'join net 1: the host has addresses there',
    )
  })

  test('is a part on each host, which knows the nodes elsewhere', () => {
    const lab = planLab(settingsOf(), between)
    const part = planOn(1, lab)
    expect(part.nodes.map(({ id }) => id)).toEqual([3, 4])
    expect(part.elsewhere?.map(({ id }) => id)).toEqual([1, 2, 201, 202])
    expect(part.bridges.taps.map(({ node }) => node)).toEqual([3, 3, 4, 4])
    expect(part.nodes[0]).toEqual(lab.plan.nodes[2])
    const reached = reachTargets(part).filter(({ from }) => from === 3)
    const to = (id: number) => reached.filter(target => target.to === id).map(({ address }) => address)
    expect(to(4)).toContain('192.168.0.4')
    expect(to(1)).toEqual(['192.168.1.1', 'fd00::c0a8:101'])
  })

  test('has a tunnel for each net between hosts, with the addresses of the others', () => {
    const [tunnel, ...more] = tunnelsOn(1, planLab(settingsOf(), between), addresses)
    expect(more).toEqual([])
    expect(tunnel).toMatchObject({ net: 1, mtu: 1450 })
    expect(tunnel!.entries.map(({ mac, remote }) => `${mac.slice(-5)} ${remote}`)).toEqual([
      ...['01:01 10.0.0.1', '01:02 10.0.0.1', '01:c9 10.0.0.1', '01:ca 10.0.0.1', '00:00 10.0.0.1'],
    ])
  })

  test('places nodes where the file says', () => {
    const topology = {
      ...topologyOf('xnet'),
      hosts: [
        { of: 'vm', host: 1 },
        { of: [3, 4], host: 0 },
      ],
    } as const
    const rooms = [0, 1].map(n => ({ name: `host ${n}`, freeMiB: 9000, processors: 2 }))
    const placed = placeLab(settingsOf({ topology }), rooms)
    expect([1, 2, 3, 4].map(id => placed.get(id))).toEqual([1, 1, 0, 0])
  })

  test('has another digest when anything of it differs', () => {
    const digests = [{}, { nvm: 5 }, { mtu: 1400 }, { domain: 'lab.test' }].map(each =>
      labDigest(settingsOf(each)),
    )
    expect(new Set(digests).size).toBe(4)
    expect(labDigest(settingsOf())).toBe(digests[0])
  })
})
