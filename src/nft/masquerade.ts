import { addressBytes, parseCidr } from '../base/index.ts'
import { datagramOf, NLM_F_ACK, NLM_F_APPEND, NLM_F_CREATE, type Request, request } from '../netlink/index.ts'
import * as wire from './wire/index.ts'

/** Packets from some subnets leave by one interface with its address. */
export interface Masquerade {
  readonly table: string
  readonly outDev: string
  /** `192.168.1.0/24`, `fd00::c0a8:100/120`: prefixes of whole bytes. */
  readonly sources: readonly string[]
}

/**
 * The ruleset as one datagram for the kernel, the very bytes of
 *
 * ```text
 * table inet <table> {
 *   chain postrouting {
 *     type nat hook postrouting priority srcnat; policy accept;
 *     oifname "<outDev>" ip saddr <source> masquerade
 *   }
 * }
 * ```
 *
 * and, on the last rule, the wish for an acknowledgement (nft reads on until there is no more).
 */
export function masqueradeBatch({ table, outDev, sources }: Masquerade): Uint8Array {
  const about = { op: 'masquerade', target: sources.join(', ') }
  const rules = sources.map((source, at) => {
    const value = { table, chain: 'postrouting', expressions: expressionsOf(outDev, source) }
    const ack = at === sources.length - 1 ? NLM_F_ACK : 0
    const flags = NLM_F_CREATE | NLM_F_APPEND | ack
    return request(wire.ruleMessage, inet(value), { ...about, type: wire.NFT_MSG_NEWRULE, flags })
  })
  const chain = { ...about, type: wire.NFT_MSG_NEWCHAIN, flags: NLM_F_CREATE }
  return datagramOf([
    batchEdge(wire.NFNL_MSG_BATCH_BEGIN),
    request(wire.tableMessage, inet({ name: table, flags: 0 }), { ...about, type: wire.NFT_MSG_NEWTABLE }),
    request(wire.chainMessage, inet(postrouting(table)), chain),
    ...rules,
    batchEdge(wire.NFNL_MSG_BATCH_END),
  ])
}

/** Without the second edge the kernel acknowledges everything and applies nothing. */
function batchEdge(type: number): Request {
  const value = { resource: wire.NFNL_SUBSYS_NFTABLES }
  return request(wire.batchMessage, value, { type, op: 'masquerade' })
}

function inet<A>(attributes: A): { family: number; attributes: A } {
  return { family: wire.NFPROTO_INET, attributes }
}

function postrouting(table: string) {
  const hook = { number: wire.NF_INET_POST_ROUTING, priority: wire.NF_IP_PRI_NAT_SRC }
  return { table, name: 'postrouting', type: 'nat', policy: wire.NF_ACCEPT, hook }
}

function expressionsOf(outDev: string, source: string): wire.Expression[] {
  const { address, prefix } = parseCidr(source)
  const bytes = addressBytes(address)
  const family = bytes.length === 4 ? wire.NFPROTO_IPV4 : wire.NFPROTO_IPV6
  const name = new Uint8Array(16) // IFNAMSIZ
  name.set(new TextEncoder().encode(outDev))
  const payload = {
    destination: wire.NFT_REG_1,
    base: wire.NFT_PAYLOAD_NETWORK_HEADER,
    offset: bytes.length === 4 ? 12 : 8, // of the source in the header
    length: prefix / 8,
  }
  return [
    ...metaIs(wire.NFT_META_OIFNAME, name),
    ...metaIs(wire.NFT_META_NFPROTO, Uint8Array.of(family)),
    { name: 'payload', payload },
    isEqual(bytes.subarray(0, prefix / 8)),
    { name: 'masq', data: {} },
  ]
}

function metaIs(key: number, value: Uint8Array): wire.Expression[] {
  return [{ name: 'meta', meta: { key, destination: wire.NFT_REG_1 } }, isEqual(value)]
}

function isEqual(value: Uint8Array): wire.Expression {
  return { name: 'cmp', compare: { source: wire.NFT_REG_1, operation: wire.NFT_CMP_EQ, data: { value } } }
}
