import { type Body, NLMSG_DONE } from '../../../src/netlink/index.ts'
import * as wire from '../../../src/nft/wire/index.ts'

const byType = new Map<number, unknown>([
  [NLMSG_DONE, { read: () => undefined, write: () => undefined }],
  [wire.NFNL_MSG_BATCH_BEGIN, wire.batchMessage],
  [wire.NFNL_MSG_BATCH_END, wire.batchMessage],
  [wire.NFT_MSG_NEWTABLE, wire.tableMessage],
  [wire.NFT_MSG_DELTABLE, wire.tableMessage],
  [wire.NFT_MSG_NEWCHAIN, wire.chainMessage],
  [wire.NFT_MSG_DELCHAIN, wire.chainMessage],
  [wire.NFT_MSG_NEWRULE, wire.ruleMessage],
  [wire.NFT_MSG_DELRULE, wire.ruleMessage],
  [wire.NFT_MSG_NEWSET, wire.setMessage],
  [wire.NFT_MSG_DELSET, wire.setMessage],
  [wire.NFT_MSG_NEWSETELEM, wire.elementsMessage],
  [wire.NFT_MSG_DELSETELEM, wire.elementsMessage],
  [wire.NFT_MSG_NEWOBJ, wire.objectMessage],
  [wire.NFT_MSG_DELOBJ, wire.objectMessage],
  [wire.NFT_MSG_NEWFLOWTABLE, wire.flowtableMessage],
  [wire.NFT_MSG_DELFLOWTABLE, wire.flowtableMessage],
])

/** The body of a message type of nf_tables. Throws when there is no table for it. */
export function bodyOf(type: number): Body<unknown> {
  const body = byType.get(type)
  if (body === undefined) throw new Error(`no table for messages of type ${type.toString(16)}`)
  return body as Body<unknown>
}
