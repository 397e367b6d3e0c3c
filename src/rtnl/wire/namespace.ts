import { i32, u8, u16, u32 } from '../../base/index.ts'
import { attributes, message } from '../../netlink/index.ts'

/** linux/rtnetlink.h, net_namespace.h, with the kernel's names. */
export const RTM_NEWNSID = 88
export const RTM_DELNSID = 89
export const RTM_GETNSID = 90

/** "No id": also what asks the kernel to choose one. */
export const NETNSA_NSID_NOT_ASSIGNED = -1

/** struct rtgenmsg, padded, and NETNSA_*: RTM_{NEW,DEL,GET}NSID. */
export const namespaceMessage = message(
  { family: u8, pad: u8, pad2: u16 },
  attributes({ id: [1, i32], pid: [2, u32], fd: [3, u32], targetId: [4, i32], currentId: [5, i32] }),
)
export type NamespaceMessage = ReturnType<typeof namespaceMessage.read>
