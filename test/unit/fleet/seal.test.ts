import { createPrivateKey, createPublicKey, diffieHellman, type KeyObject } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { innerAddress, makeKeys, mtuBetween, type SealKeys, sealOf } from '../../../src/fleet/seal.ts'

const keyOf = ({ privateKey, publicKey }: SealKeys): KeyObject => {
  const base64url = (text: string) => Buffer.from(text, 'base64').toString('base64url')
  const key = { kty: 'OKP', crv: 'X25519', x: base64url(publicKey), d: base64url(privateKey) }
  return createPrivateKey({ key, format: 'jwk' })
}

describe('encryption between hosts', () => {
  test.each([
    // IPv4 20, UDP 8, WireGuard 16 + 16; IPv4 20, UDP 8, VXLAN 8, Ethernet 14.
    ['10.0.0.1', true, 1500 - 60 - 50],
    ['fd00::1', true, 1500 - 80 - 50],
    ['10.0.0.1', false, 1450],
    ['fd00::1', false, 1430],
  ])('over %s, encrypted: %s, leaves an MTU of %i', (address, encrypted, mtu) => {
    expect(mtuBetween(1500, address, encrypted)).toBe(mtu)
  })

  test('makes keys of which two hosts have one secret', () => {
    const [one, other] = [makeKeys(), makeKeys()]
    const secrets = [
      [one, other],
      [other, one],
    ].map(([mine, theirs]) =>
      diffieHellman({ privateKey: keyOf(mine!), publicKey: createPublicKey(keyOf(theirs!)) }).toString('hex'),
    )
    expect(secrets[0]).toBe(secrets[1])
    expect(Buffer.from(one.privateKey, 'base64')).toHaveLength(32)
    expect(makeKeys().privateKey).not.toBe(one.privateKey)
  })

  test('numbers 9,999 hosts inside 169.254.0.0/16, without what is reserved there', () => {
    const all = Array.from({ length: 9999 }, (_, rank) => innerAddress(rank))
    expect(new Set(all).size).toBe(9999)
    expect([all[0], all[255], all[256], all[9998]]).toEqual([
      ...['169.254.1.0', '169.254.1.255', '169.254.2.0', '169.254.40.14'],
    ])
  })

  test('gives each host the others as peers, and one preshared key of this job', () => {
    const keys = [makeKeys(), makeKeys(), makeKeys()]
    const publicKeys = keys.map(({ publicKey }) => publicKey)
    const addresses = ['10.0.0.1', '10.0.0.2', '10.0.0.3']
    const secret = Buffer.alloc(32, 1)
    const on = (rank: number, job = '7') =>
      sealOf({ values: { rank, secret, job }, keys: keys[rank]!, publicKeys, addresses, mtu: 1390 })
    expect(on(1)).toMatchObject({
      ...{ privateKey: keys[1]!.privateKey, inner: '169.254.1.1', mtu: 1440 },
      peers: [
        { publicKey: publicKeys[0], address: '10.0.0.1', inner: '169.254.1.0' },
        { publicKey: publicKeys[2], address: '10.0.0.3', inner: '169.254.1.2' },
      ],
    })
    expect(Buffer.from(on(1).presharedKey, 'base64')).toHaveLength(32)
    expect(on(2).presharedKey).toBe(on(1).presharedKey)
    expect(on(1, '8').presharedKey).not.toBe(on(1).presharedKey)
  })
})
