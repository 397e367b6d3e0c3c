import { createHmac, generateKeyPairSync } from 'node:crypto'
import type { Seal } from '../net/index.ts'
import type { EngineValues } from './engine.ts'

/** A pair of keys for X25519 (RFC 7748), in base64 as WireGuard has them. */
export interface SealKeys {
  readonly privateKey: string
  readonly publicKey: string
}

export function makeKeys(): SealKeys {
  const { d, x } = generateKeyPairSync('x25519').privateKey.export({ format: 'jwk' })
  const base64 = (text: string) => Buffer.from(text, 'base64url').toString('base64')
  return { privateKey: base64(d!), publicKey: base64(x!) }
}

/** 169.254.1.0 and what follows: link-local addresses (RFC 3927), without the first 256, which are reserved. */
export function innerAddress(rank: number): string {
  return `169.254.${1 + (rank >> 8)}.${rank & 255}`
}

/**
 * Headers of WireGuard around a packet, in bytes: IPv4 20 or IPv6 40, UDP 8, of the message 16 (type, receiver and counter),
 * and its authentication 16 (`struct message_data`, drivers/net/wireguard/messages.h).
 */
const sealBytes = (address: string): number => (address.includes(':') ? 40 : 20) + 8 + 16 + 16

/** VXLAN's headers in bytes: Ethernet 14, VXLAN 8, UDP 8, and IPv4 20 or IPv6 40 (RFC 7348 §5). */
const vxlanBytes = (address: string): number => 14 + 8 + 8 + (address.includes(':') ? 40 : 20)

/** The largest MTU of nets between hosts. When they are encrypted, VXLAN goes over the IPv4 of WireGuard's tunnel. */
export function mtuBetween(underlay: number, address: string, encrypted = false): number {
  return encrypted
    ? underlay - sealBytes(address) - vxlanBytes(innerAddress(0))
    : underlay - vxlanBytes(address)
}

export interface SealOf {
  readonly values: Pick<EngineValues, 'rank' | 'secret' | 'job'>
  readonly keys: SealKeys
  /** Of all hosts, by number. */
  readonly publicKeys: readonly string[]
  readonly addresses: readonly string[]
  /** The MTU of nets between hosts. */
  readonly mtu: number
}

/** What this host's WireGuard gets. Beside the keys of its hosts, a lab has one from its secret. */
export function sealOf({ values, keys, publicKeys, addresses, mtu }: SealOf): Seal {
  const { rank, secret, job } = values
  const shared = createHmac('sha256', secret).update(`xcluster ${job} wireguard`).digest('base64')
  return {
    privateKey: keys.privateKey,
    presharedKey: shared,
    inner: innerAddress(rank),
    mtu: mtu + vxlanBytes(innerAddress(rank)),
    peers: addresses.flatMap((address, other) =>
      other === rank ? [] : [{ publicKey: publicKeys[other]!, address, inner: innerAddress(other) }],
    ),
  }
}
