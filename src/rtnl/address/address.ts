import { addressBytes, addressText } from '../../base/index.ts'
import { NLM_F_CREATE, NLM_F_EXCL, request } from '../../netlink/index.ts'
import type { LinkRef, Operation } from '../operation.ts'
import * as wire from '../wire/index.ts'

export interface AddressSpec {
  readonly link: LinkRef
  readonly address: string
  readonly prefix: number
  /** Makes the address usable at once: IPv6 skips duplicate address detection. */
  readonly noDad?: boolean
  /** The peer's address on a point-to-point link. `prefix` is then the peer's. */
  readonly peer?: string
  readonly broadcast?: string
}

/** An address that an interface has. */
export interface Address {
  /** Index of the interface. */
  readonly link: number
  readonly family: 4 | 6
  readonly address: string
  readonly prefix: number
  readonly peer?: string
  readonly broadcast?: string
  readonly label?: string
  /** `universe` 0, `link` 253, `host` 254. */
  readonly scope: number
  readonly noDad: boolean
  /** Duplicate address detection is running or has failed: the address is not usable. */
  readonly tentative: boolean
  readonly duplicate: boolean
  /** True for an address without a lifetime. */
  readonly permanent: boolean
}

type Which = Pick<AddressSpec, 'link' | 'address' | 'prefix' | 'peer'>

export function addAddress(spec: AddressSpec): Operation {
  const flags = NLM_F_CREATE | NLM_F_EXCL
  return operation(spec, { type: wire.RTM_NEWADDR, flags, op: 'add address' }, () => ({
    flags: spec.noDad ? wire.IFA_F_NODAD : 0,
    broadcast: spec.broadcast === undefined ? undefined : addressBytes(spec.broadcast),
  }))
}

export function removeAddress(which: Which): Operation {
  return operation(which, { type: wire.RTM_DELADDR, op: 'remove address' }, () => ({ flags: 0 }))
}

function operation(
  { link, address, prefix, peer }: Which,
  about: { type: number; flags?: number; op: string },
  rest: () => { flags: number; broadcast?: Uint8Array | undefined },
): Operation {
  const local = addressBytes(address)
  const other = peer === undefined ? local : addressBytes(peer)
  const { flags, broadcast } = rest()
  return {
    refers: [link],
    requests(names) {
      const family = local.length === 4 ? wire.AF_INET : wire.AF_INET6
      const attributes = { local, address: other, broadcast }
      const value = { family, prefix, flags, scope: scopeOf(local), index: names.indexOf(link), attributes }
      return [request(wire.addressMessage, value, { ...about, target: `${address}/${prefix} (${link})` })]
    },
  }
}

/** The same as `ip`: 127/8 has scope host. For IPv6 the kernel decides. */
function scopeOf(address: Uint8Array): number {
  return address.length === 4 && address[0] === 127 ? wire.RT_SCOPE_HOST : wire.RT_SCOPE_UNIVERSE
}

/** Converts the kernel's message. */
export function addressOf({ family, prefix, scope, index, ...message }: wire.AddressMessage): Address {
  const { local, address, broadcast, label } = message.attributes
  const flags = message.attributes.flags ?? message.flags
  const own = local ?? address ?? new Uint8Array(family === wire.AF_INET ? 4 : 16)
  const peer = local && address && Buffer.compare(local, address) !== 0 ? addressText(address) : undefined
  return {
    link: index,
    family: family === wire.AF_INET ? 4 : 6,
    address: addressText(own),
    prefix,
    scope,
    noDad: (flags & wire.IFA_F_NODAD) !== 0,
    tentative: (flags & wire.IFA_F_TENTATIVE) !== 0,
    duplicate: (flags & wire.IFA_F_DADFAILED) !== 0,
    permanent: (flags & wire.IFA_F_PERMANENT) !== 0,
    ...(peer !== undefined && { peer }),
    ...(broadcast && { broadcast: addressText(broadcast) }),
    ...(label !== undefined && { label }),
  }
}
