import { addressBytes, addressText, parseCidr } from '../../base/index.ts'
import { inRange, NetlinkError } from '../../netlink/index.ts'
import * as wire from './wire.ts'

/** Where a peer is: an address and a UDP port. */
export interface Endpoint {
  readonly address: string
  readonly port: number
}

export interface WireGuardPeerSpec {
  /** In base64, as `wg` writes keys. */
  readonly publicKey: string
  readonly presharedKey?: string
  readonly endpoint?: Endpoint
  /** Seconds between packets that keep a translated connection open. 0: none. */
  readonly keepalive?: number
  /** Networks that are behind the peer: `10.0.0.2/32`. */
  readonly allowed?: readonly string[]
  /** `allowed` replaces the peer's networks instead of adding to them. */
  readonly replaceAllowed?: boolean
  readonly remove?: boolean
  /** Only changes a peer that exists. */
  readonly update?: boolean
}

/** What to change. What is left out stays as it is. */
export interface WireGuardSpec {
  /** In base64. */
  readonly privateKey?: string
  /** The UDP port that it listens on. 0: the kernel chooses one. */
  readonly port?: number
  /** The firewall mark of its packets. 0: none. */
  readonly mark?: number
  readonly peers?: readonly WireGuardPeerSpec[]
  /** `peers` are the only ones from now on. */
  readonly replacePeers?: boolean
}

export interface WireGuardPeer {
  readonly publicKey: string
  readonly presharedKey?: string
  readonly endpoint?: Endpoint
  readonly keepalive: number
  readonly allowed: readonly string[]
  /** Seconds since 1970, with nanoseconds behind the point. Absent before the first handshake. */
  readonly lastHandshake?: number
  /** Bytes. */
  readonly received: number
  readonly sent: number
}

/** A WireGuard interface. */
export interface WireGuardDevice {
  readonly index: number
  readonly name: string
  /** Absent without a key, or without CAP_NET_ADMIN. */
  readonly privateKey?: string
  readonly publicKey?: string
  readonly port: number
  readonly mark: number
  readonly peers: readonly WireGuardPeer[]
}

const [inet, inet6] = [2, 10]

function keyBytes(key: string): Uint8Array {
  const bytes = Buffer.from(key, 'base64')
  if (bytes.length === 32 && bytes.toString('base64') === key) return bytes
  const reason = 'a WireGuard key is 32 bytes in base64, which is 44 characters'
  throw new NetlinkError({ code: 'NETLINK_ENCODE', kind: 'usage', op: 'encode key', reason })
}

/** The attributes of a change, without the name. */
export function deviceChange(spec: WireGuardSpec): wire.DeviceAttributes {
  const { privateKey, port, mark, peers, replacePeers } = spec
  return {
    privateKey: privateKey === undefined ? undefined : keyBytes(privateKey),
    flags: replacePeers ? wire.WGDEVICE_F_REPLACE_PEERS : undefined,
    port,
    mark,
    peers: peers?.map(peerChange),
  }
}

function peerChange(peer: WireGuardPeerSpec): wire.PeerAttributes {
  const { presharedKey, endpoint, keepalive, allowed } = peer
  const flags =
    (peer.remove ? wire.WGPEER_F_REMOVE_ME : 0) |
    (peer.replaceAllowed ? wire.WGPEER_F_REPLACE_ALLOWEDIPS : 0) |
    (peer.update ? wire.WGPEER_F_UPDATE_ONLY : 0)
  return {
    publicKey: keyBytes(peer.publicKey),
    flags: flags === 0 ? undefined : flags,
    presharedKey: presharedKey === undefined ? undefined : keyBytes(presharedKey),
    endpoint: endpoint && socketAddress(endpoint),
    keepalive,
    allowed: allowed?.map(cidr => {
      const { address, prefix } = parseCidr(cidr)
      const bytes = addressBytes(address)
      return { family: bytes.length === 4 ? inet : inet6, address: bytes, prefix }
    }),
  }
}

/** struct sockaddr_in and sockaddr_in6. */
function socketAddress({ address, port }: Endpoint): Uint8Array {
  inRange({ op: 'encode endpoint', field: 'endpoint.port', value: port, least: 0, most: 0xffff })
  const host = addressBytes(address)
  const bytes = Buffer.alloc(host.length === 4 ? 16 : 28)
  bytes.writeUInt16LE(host.length === 4 ? inet : inet6, 0)
  bytes.writeUInt16BE(port, 2)
  bytes.set(host, host.length === 4 ? 4 : 8)
  return bytes
}

function endpointOf(bytes: Uint8Array): Endpoint | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const family = bytes.length >= 16 ? view.getUint16(0, true) : 0
  if (family === inet) return { address: addressText(bytes.subarray(4, 8)), port: view.getUint16(2) }
  if (family !== inet6 || bytes.length < 28) return undefined
  return { address: addressText(bytes.subarray(8, 24)), port: view.getUint16(2) }
}

const keyText = (key: Uint8Array | undefined) =>
  key?.some(byte => byte !== 0) ? Buffer.from(key).toString('base64') : undefined

/** The device of the kernel's messages: a long list of peers is spread over several. */
export function deviceOf(parts: readonly wire.DeviceAttributes[]): WireGuardDevice {
  const [{ index = 0, name = '', port = 0, mark = 0, ...keys } = {}] = parts
  const privateKey = keyText(keys.privateKey)
  const publicKey = keyText(keys.publicKey)
  return {
    ...{ index, name, port, mark },
    ...(privateKey !== undefined && { privateKey }),
    ...(publicKey !== undefined && { publicKey }),
    peers: joined(parts.flatMap(({ peers = [] }) => peers)),
  }
}

/** A peer whose networks do not fit into one message goes on in the next (wg_get_device_dump). */
function joined(parts: readonly wire.PeerAttributes[]): WireGuardPeer[] {
  const peers = new Map<string, WireGuardPeer>()
  for (const part of parts) {
    const key = Buffer.from(part.publicKey ?? []).toString('base64')
    const [known, more] = [peers.get(key), peerOf(key, part)]
    peers.set(key, known ? { ...known, allowed: [...known.allowed, ...more.allowed] } : more)
  }
  return [...peers.values()]
}

function peerOf(publicKey: string, part: wire.PeerAttributes): WireGuardPeer {
  const { keepalive = 0, received = 0, sent = 0, allowed = [], lastHandshake } = part
  const presharedKey = keyText(part.presharedKey)
  const endpoint = part.endpoint && endpointOf(part.endpoint)
  return {
    publicKey,
    ...{ keepalive, received, sent },
    allowed: allowed.flatMap(({ address, prefix }) => (address ? [`${addressText(address)}/${prefix}`] : [])),
    ...(presharedKey !== undefined && { presharedKey }),
    ...(endpoint && { endpoint }),
    ...(lastHandshake?.seconds && { lastHandshake: lastHandshake.seconds + lastHandshake.nanoseconds / 1e9 }),
  }
}
