import { type Message, type Subscription, subscribe } from '../netlink/index.ts'
import type { NftMonitorOptions } from './monitor.ts'
import { familyOf, type TableRef } from './names.ts'
import { nftDecoder as decoder } from './trace.ts'
import * as wire from './wire/index.ts'

/** One step of a packet through the rules. */
export interface PacketStep {
  readonly type: 'step'
  /** The same for all steps of a packet. */
  readonly id: number
  readonly table: TableRef
  readonly chain: string
  /** What decided: a rule, the end of a chain (which nft does not show), or the policy of a base chain. */
  readonly by: 'rule' | 'end' | 'policy'
  /** The rule's handle. */
  readonly handle?: bigint
  /** Where the packet goes from here: `accept`, `drop`, `jump`, `continue` … */
  readonly verdict: wire.Verdict
  /** The indexes of its interfaces. */
  readonly iif?: number
  readonly oif?: number
  readonly mark?: number
  /** The beginnings of its headers. The kernel gives them with a packet's first step in a chain. */
  readonly headers?: {
    readonly link?: Uint8Array
    readonly network?: Uint8Array
    readonly transport?: Uint8Array
  }
}

/**
 * Listens to the ways of packets through the rules: of those for which a rule has said `trace()`. Steps are lost
 * (`{ type: 'lost' }`) when there are more than are read. `nft monitor trace`
 */
export function tracePackets(options: NftMonitorOptions = {}): Subscription<PacketStep> {
  return subscribe('netfilter', { ...options, decoder, groups: [wire.NFNLGRP_NFTRACE], read: readStep })
}

const policies: Readonly<Record<number, wire.Verdict>> = { 0: { code: 'drop' }, 1: { code: 'accept' } }

function readStep({ type, body }: Message): PacketStep | undefined {
  if (type !== wire.NFT_MSG_TRACE) return undefined
  const { family, attributes } = wire.packetTraceMessage.read(body)
  const { id = 0, table = '', chain = '', type: by, rule, verdict, policy = 1 } = attributes
  const { iif, oif, mark } = attributes
  const headers = headersOf(attributes)
  return {
    type: 'step',
    id,
    table: { family: familyOf(family), name: table },
    chain,
    by: by === 'policy' ? by : rule === undefined ? 'end' : 'rule',
    ...(rule !== undefined && { handle: rule }),
    verdict: verdict ?? policies[policy] ?? { code: policy },
    ...(iif !== undefined && { iif }),
    ...(oif !== undefined && { oif }),
    ...(mark !== undefined && { mark }),
    ...(headers && { headers }),
  }
}

interface Headers {
  readonly linkHeader?: Uint8Array | undefined
  readonly networkHeader?: Uint8Array | undefined
  readonly transportHeader?: Uint8Array | undefined
}

function headersOf({ linkHeader, networkHeader, transportHeader }: Headers): PacketStep['headers'] {
  if (!linkHeader && !networkHeader && !transportHeader) return undefined
  return {
    ...(linkHeader && { link: linkHeader }),
    ...(networkHeader && { network: networkHeader }),
    ...(transportHeader && { transport: transportHeader }),
  }
}
