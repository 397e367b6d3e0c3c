import { shape, taken } from '../../base/index.ts'
import type { NetNamespace } from '../../netlink/index.ts'
import { type FamilyCommands, type Generic, openGeneric } from '../generic.ts'
import { deviceChange, deviceOf, type WireGuardDevice, type WireGuardSpec } from './device.ts'
import { type DeviceAttributes, deviceAttributes, WG_CMD_GET_DEVICE, WG_CMD_SET_DEVICE } from './wire.ts'

/** Peers in a message: a peer with some networks takes up to 400 bytes, and attributes hold 65,531. */
const peersAtOnce = 64

/** The WireGuard interfaces of a network namespace (made by `links.add(wireguard({ name }))`). `wg` */
export class WireGuard implements AsyncDisposable {
  readonly #generic: Generic

  constructor(generic: Generic) {
    this.#generic = generic
  }

  /** A device and its peers. `wg show <name>` */
  async get(name: string): Promise<WireGuardDevice> {
    taken('read WireGuard device', name, shape.called('name', shape.text))
    const family = await this.#family()
    const parts: DeviceAttributes[] = []
    const asking = {
      command: WG_CMD_GET_DEVICE,
      attributes: { name },
      op: 'read WireGuard device',
      target: name,
    }
    for await (const { attributes } of family.dump(asking)) parts.push(attributes)
    return deviceOf(parts)
  }

  /** Changes a device and peers. `wg set <name> private-key … listen-port … peer …`, `wg setconf` */
  async set(name: string, spec: WireGuardSpec): Promise<void> {
    taken('configure WireGuard device', name, shape.called('name', shape.text))
    taken('configure WireGuard device', spec, specShape)
    const { peers = [], ...device } = spec
    const family = await this.#family()
    const about = { command: WG_CMD_SET_DEVICE, op: 'configure WireGuard device', target: name }
    for (let start = 0; start === 0 || start < peers.length; start += peersAtOnce) {
      const some = peers.slice(start, start + peersAtOnce)
      const change = deviceChange({ ...(start === 0 && device), ...(some.length > 0 && { peers: some }) })
      await family.request({ ...about, attributes: { name, ...change } })
    }
  }

  close(): Promise<void> {
    return this.#generic.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #family(): Promise<FamilyCommands<DeviceAttributes>> {
    return await this.#generic.use('wireguard', deviceAttributes)
  }
}

/** What `set` takes, for callers without a compiler. */
const endpoint = shape.record({ address: shape.text, port: shape.number })
const peer = shape.record(
  { publicKey: shape.text },
  { presharedKey: shape.text, endpoint, allowed: shape.list(shape.text), keepalive: shape.number },
)
const specShape = shape.record({}, { privateKey: shape.text, peers: shape.list(peer) })

/** Opens the WireGuard interfaces of a network namespace. Default: this process's own. */
export function openWireGuard(options: { readonly namespace?: NetNamespace } = {}): WireGuard {
  return new WireGuard(openGeneric(options))
}
