import { expect } from 'vitest'
import { NetlinkError, openWireGuard } from '../../../src/genl/index.ts'
import { openRoute, wireguard } from '../../../src/rtnl/index.ts'
import { NetNamespace } from '../../../src/sys/index.ts'
import { test } from '../../support/leaks.ts'

const key = (byte: number) => Buffer.alloc(32, byte).toString('base64')

test('a WireGuard device is read as it was configured, where the kernel has WireGuard', async ({ skip }) => {
  await using namespace = NetNamespace.create()
  await using route = openRoute({ namespace })
  await using wireGuard = openWireGuard({ namespace })
  try {
    await route.links.add(wireguard({ name: 'wg0' }))
  } catch (refusal) {
    if (!(refusal instanceof NetlinkError) || refusal.code !== 'LINK_KIND_MISSING') throw refusal
    await expect(wireGuard.get('wg0')).rejects.toMatchObject({ code: 'GENERIC_FAMILY_MISSING' })
    return skip('this kernel has no wireguard links')
  }
  const peer = {
    ...{ publicKey: key(2), keepalive: 25, endpoint: { address: '192.0.2.1', port: 51_820 } },
    allowed: ['10.0.0.0/8', 'fd00::/64'],
  }
  await wireGuard.set('wg0', { privateKey: key(0x40), port: 51_821, mark: 7, peers: [peer] })
  expect(await wireGuard.get('wg0')).toMatchObject({ name: 'wg0', port: 51_821, mark: 7, peers: [peer] })
  await wireGuard.set('wg0', { peers: [{ publicKey: key(2), remove: true }] })
  expect((await wireGuard.get('wg0')).peers).toEqual([])
})
