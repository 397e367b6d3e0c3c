import { type Connection, request } from '../../netlink/index.ts'
import { resolve } from '../names.ts'
import type { LinkRef, Sink } from '../operation.ts'
import { take } from '../takes.ts'
import * as wire from '../wire/index.ts'
import { type NamesWanted, withNames } from '../with-names.ts'
import { addVlan, removeVlan, type VlanEntry, type VlanEntrySpec, vlansOf } from './vlan.ts'

/** Changes of the VLANs of bridges, each at once or in a batch. */
export class VlanChanges<Done> {
  readonly #sink: Sink<Done>

  constructor(sink: Sink<Done>) {
    this.#sink = sink
  }

  /** Makes a port a member of VLANs. `bridge vlan add dev <link> vid <n>[-<n>] [pvid] [untagged] [self]` */
  add(spec: VlanEntrySpec): Done {
    return this.#sink(() => addVlan(spec))
  }

  /** Removes a port from VLANs. `bridge vlan del dev <link> vid <n>[-<n>] [self]` */
  remove(spec: Omit<VlanEntrySpec, 'pvid' | 'untagged'>): Done {
    return this.#sink(() => removeVlan(spec))
  }
}

/** The VLANs of bridges with `vlanFiltering`: which ports belong to which. */
export class Vlans extends VlanChanges<Promise<void>> {
  readonly #connection: Connection

  constructor(connection: Connection, sink: Sink<Promise<void>>) {
    super(sink)
    this.#connection = connection
  }

  /** The VLANs of all ports and bridges, or of one interface. `bridge vlan show [dev <link>]` */
  async list(filter: NamesWanted & { readonly link?: LinkRef } = {}): Promise<VlanEntry[]> {
    const { link, names: wanted } = take('list VLANs', filter, 'VlanFilter')
    const refers = link === undefined ? [] : [link]
    const names = await resolve(this.#connection, [{ refers, requests: () => [] }])
    const index = link === undefined ? 0 : names.indexOf(link)
    const value = { family: wire.AF_BRIDGE, attributes: { extMask: wire.RTEXT_FILTER_BRVLAN_COMPRESSED } }
    const about = { type: wire.RTM_GETLINK, op: 'list', target: 'VLANs of bridges' }
    const entries: VlanEntry[] = []
    for await (const found of this.#connection.dump(request(wire.portMessage, value, about), ({ body }) =>
      vlansOf(wire.portMessage.read(body)),
    ))
      entries.push(...found.filter(entry => index === 0 || entry.link === index))
    return await withNames(this.#connection, entries, { names: wanted, fields: { linkName: 'link' } })
  }
}
