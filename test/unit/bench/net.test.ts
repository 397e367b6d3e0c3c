import { expect, test } from 'vitest'
import { expected, line } from '../../../bench/net/made.ts'
import { fewSteps, removals, steps, tapsOf, wiringOf } from '../../../bench/net/wiring.ts'
import { ratiosOf } from '../../../bench/net.bench.ts'

const wiring = wiringOf(24)

test('the shell variant takes the steps of the original, one ip each', () => {
  const all = steps(wiring)
  expect(all).toHaveLength(1 + 3 * 4 + 2 * 2 + 24 * 4)
  expect(all.filter(step => step.includes('xcbr2_t8'))).toEqual([
    'tuntap add xcbr2_t8 mode tap',
    'link set dev xcbr2_t8 mtu 1500',
    'link set dev xcbr2_t8 master xcbr2',
    'link set dev xcbr2_t8 up',
  ])
  expect(all.filter(step => step.endsWith('dev xcbr2')).join()).toBe(
    'addr add 192.168.2.250/24 dev xcbr2,addr add fd00::192.168.2.250/120 dev xcbr2',
  )
  expect(removals(wiring)).toHaveLength(24 + 3)
})

test('ip -batch gets as few lines as possible', () => {
  expect(fewSteps(wiring)).toHaveLength(1 + 3 * 2 + 2 * 2 + 24 * 2)
})

test('the network that ip shows is compared with the plan', () => {
  const tap = { ifname: 'xcbr0_t1', mtu: 1500, flags: ['BROADCAST', 'UP'], linkinfo: { info_kind: 'tun' } }
  const bridge = {
    ...{ ifname: 'xcbr0', mtu: 1500, flags: ['UP'] },
    linkinfo: { info_kind: 'bridge', info_data: { group_fwd_mask: '0x4000' } },
    addr_info: [
      { local: '192.168.0.250', prefixlen: 24, scope: 'global' },
      { local: 'fd00::c0a8:fa', prefixlen: 120, scope: 'global' },
      { local: 'fe80::200:ff:fe01:fa', prefixlen: 64, scope: 'link' },
    ],
  }
  const wanted = expected(wiring)
  expect(wanted).toHaveLength(1 + 3 + 24 + 24)
  expect(wanted).toContain(line(bridge))
  expect(wanted).toContain(line({ ...tap, master: 'xcbr0', addr_info: [] }))
  expect(wanted).not.toContain(line({ ...tap, master: 'xcbr1', addr_info: [] }))
  expect(wanted).not.toContain(line({ ...tap, master: 'xcbr0', addr_info: [], mtu: 1499 }))
  expect(wanted).not.toContain(line({ ...tap, master: 'xcbr0', addr_info: [], flags: [] }))
  expect(wanted).not.toContain(line({ ...bridge, addr_info: [] }))
  expect(tapsOf(wiring).map(({ name }) => wanted.includes(`port ${name}`))).not.toContain(false)
})

test('our warm call is divided by every other way, the first call of a process by the C floor alone', () => {
  expect(ratiosOf(['ours', 'ours-first', 'shell', 'floor'])).toEqual([
    ['ours', 'shell'],
    ['ours', 'floor'],
    ['ours-first', 'floor'],
  ])
})
