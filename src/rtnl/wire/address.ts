import { bytes, i32, struct, text, u8, u32 } from '../../base/index.ts'
import { attributes, growing, message } from '../../netlink/index.ts'

/** IFA_*. */
const addressAttributes = attributes({
  address: [1, bytes],
  local: [2, bytes],
  label: [3, text],
  broadcast: [4, bytes],
  anycast: [5, bytes],
  /** In seconds; all ones: for ever. */
  lifetimes: [6, growing(struct({ preferred: u32, valid: u32, created: u32, updated: u32 }))],
  multicast: [7, bytes],
  flags: [8, u32],
  metric: [9, u32],
  targetNamespaceId: [10, i32],
  protocol: [11, u8],
})

/** struct ifaddrmsg and IFA_*: RTM_NEWADDR, RTM_DELADDR, RTM_GETADDR. */
export const addressMessage = message(
  { family: u8, prefix: u8, flags: u8, scope: u8, index: u32 },
  addressAttributes,
)
export type AddressMessage = ReturnType<typeof addressMessage.read>

/** IFA_F_*. Bits from 0x100 on fit into the attribute `flags` only. */
export const addressFlags = {
  /** IPv4: of a network that an earlier address of the interface has. IPv6: a temporary address. */
  secondary: 0x01,
  noDad: 0x02,
  optimistic: 0x04,
  duplicate: 0x08,
  home: 0x10,
  deprecated: 0x20,
  tentative: 0x40,
  permanent: 0x80,
  manageTemporary: 0x100,
  noPrefixRoute: 0x200,
  autoJoin: 0x400,
  stablePrivacy: 0x800,
} as const
export type AddressFlag = keyof typeof addressFlags
