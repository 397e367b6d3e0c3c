import type { Address } from '../../../../src/rtnl/index.ts'
import { given, type Shown } from './routes.ts'

const whenTrue = (value: boolean) => (value ? true : undefined)
const forever = 0xffffffff

/** What `ip -N -j -d address show` says about an address that this library lists. iproute2 6.1 omits the protocol. */
export function addressAsIp(address: Address): Shown {
  const { family, peer, label, broadcast, anycast, metric } = address
  return given({
    family: family === 4 ? 'inet' : 'inet6',
    local: address.address,
    address: peer,
    prefixlen: address.prefix,
    ...{ broadcast, anycast, metric, label },
    scope: `${address.scope}`,
    secondary: family === 4 ? whenTrue(address.secondary) : undefined,
    temporary: family === 6 ? whenTrue(address.secondary) : undefined,
    tentative: whenTrue(address.tentative),
    deprecated: whenTrue(address.deprecated),
    nodad: whenTrue(address.noDad),
    optimistic: whenTrue(address.optimistic),
    dadfailed: whenTrue(address.duplicate),
    home: whenTrue(address.home),
    mngtmpaddr: whenTrue(address.manageTemporary),
    noprefixroute: whenTrue(address.noPrefixRoute),
    autojoin: whenTrue(address.autoJoin),
    dynamic: whenTrue(!address.permanent),
    'stable-privacy': whenTrue(address.stablePrivacy),
    valid_life_time: address.validLifetime ?? forever,
    preferred_life_time: address.preferredLifetime ?? forever,
  })
}
