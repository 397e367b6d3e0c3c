import { bytes, struct, text, u8, u32 } from '../../base/index.ts'
import { attributes, growing, message } from '../../netlink/index.ts'

/** IFA_*. */
const addressAttributes = attributes({
  address: [1, bytes],
  local: [2, bytes],
  label: [3, text],
  broadcast: [4, bytes],
  anycast: [5, bytes],
  lifetimes: [6, growing(struct({ preferred: u32, valid: u32, created: u32, updated: u32 }))],
  flags: [8, u32],
  metric: [9, u32],
  protocol: [11, u8],
})

/** struct ifaddrmsg and IFA_*: RTM_NEWADDR, RTM_DELADDR, RTM_GETADDR. */
export const addressMessage = message(
  { family: u8, prefix: u8, flags: u8, scope: u8, index: u32 },
  addressAttributes,
)
export type AddressMessage = ReturnType<typeof addressMessage.read>
