import { type Connection, type Message, request } from '../../netlink/index.ts'
import { resolve } from '../names.ts'
import type { LinkRef, Sink } from '../operation.ts'
import { take } from '../takes.ts'
import { AF_INET, AF_INET6, AF_UNSPEC, addressMessage, RTM_GETADDR } from '../wire/index.ts'
import { type NamesWanted, withNames } from '../with-names.ts'
import { type Address, type AddressSpec, addressOf, removeAddress, setAddress } from './address.ts'

/** Changes of addresses, each at once or in a batch. */
export class AddressChanges<Done> {
  readonly #sink: Sink<Done>

  constructor(sink: Sink<Done>) {
    this.#sink = sink
  }

  /** Adds an address to an interface. `ip address add <address>/<prefix> dev <link> [nodad] [valid_lft <s>] …` */
  add(spec: AddressSpec): Done {
    return this.#sink(() => setAddress(spec, 'add'))
  }

  /** Adds an address, or changes the lifetimes, flags and metric of the existing one. `ip address replace …` */
  replace(spec: AddressSpec): Done {
    return this.#sink(() => setAddress(spec, 'replace'))
  }

  /** Removes an address. `ip address del <address>/<prefix> dev <link>` */
  remove(spec: Pick<AddressSpec, 'link' | 'address' | 'prefix' | 'peer'>): Done {
    return this.#sink(() => removeAddress(spec))
  }
}

export interface AddressFilter extends NamesWanted {
  readonly link?: LinkRef
  readonly family?: 4 | 6
}

/** IP addresses of interfaces. */
export class Addresses extends AddressChanges<Promise<void>> {
  readonly #connection: Connection

  constructor(connection: Connection, sink: Sink<Promise<void>>) {
    super(sink)
    this.#connection = connection
  }

  /** All addresses, or those of one interface or family. `ip [-4|-6] address show [dev <link>]` */
  async list(filter: AddressFilter = {}): Promise<Address[]> {
    const { link, family, names: wanted } = take('list addresses', filter, 'AddressFilter')
    const refers = link === undefined ? [] : [link]
    const names = await resolve(this.#connection, [{ refers, requests: () => [] }])
    const value = {
      family: family === undefined ? AF_UNSPEC : family === 4 ? AF_INET : AF_INET6,
      index: link === undefined ? 0 : names.indexOf(link),
    }
    const asking = request(addressMessage, value, { type: RTM_GETADDR, op: 'list', target: 'addresses' })
    const addresses: Address[] = []
    for await (const address of this.#connection.dump(asking, readAddress)) addresses.push(address)
    const fields = { linkName: 'link' } as const
    return await withNames(this.#connection, addresses, { names: wanted, fields })
  }
}

export function readAddress({ body }: Message): Address {
  return addressOf(addressMessage.read(body))
}
