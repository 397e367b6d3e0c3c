import { badValue } from '../errors.ts'
import { take } from '../takes.ts'
import type { Draft, Statement } from './draft.ts'

/** NFT_REJECT_ICMPX_*: codes for IPv4 and IPv6 alike. */
const icmpx = { 'no-route': 0, 'port-unreachable': 1, 'host-unreachable': 2, 'admin-prohibited': 3 }
/** ICMP_*_UNREACH. */
const icmp = {
  'net-unreachable': 0,
  'host-unreachable': 1,
  'prot-unreachable': 2,
  'port-unreachable': 3,
  'net-prohibited': 9,
  'host-prohibited': 10,
  'admin-prohibited': 13,
}
/** ICMPV6_*. */
const icmpv6 = {
  'no-route': 0,
  'admin-prohibited': 1,
  'addr-unreachable': 3,
  'port-unreachable': 4,
  'policy-fail': 5,
  'reject-route': 6,
}

/** The codes of each version for those of both. */
const both = {
  ip: { ...icmp, 'no-route': 0 },
  ip6: { ...icmpv6, 'host-unreachable': 3 },
}

/** Why the packet was rejected: for any packet, or in the words of one version of IP. */
export type RejectReason =
  | keyof typeof icmpx
  | 'tcp reset'
  | { readonly icmp: keyof typeof icmp }
  | { readonly icmpv6: keyof typeof icmpv6 }

/** Rejects the packet with an error to its sender. `reject with icmp host-unreachable` */
export function reject(reason: RejectReason = 'port-unreachable'): Statement {
  take('build reject', reason, ['RejectReason', 'reason'])
  if (typeof reason === 'string')
    return { text: `reject with ${reason}`, write: rule => rejectAny(rule, reason) }
  const [[type, word]] = Object.entries(reason) as [['icmp' | 'icmpv6', string]]
  const text = `reject with ${type} ${word}`
  const codes: Readonly<Record<string, number>> = type === 'icmp' ? icmp : icmpv6
  const icmpCode = codes[word]
  if (icmpCode === undefined) throw badValue(text, `it is not one of ${Object.keys(codes).join(', ')}`)
  return {
    text,
    write(rule) {
      rule.needNetwork(type === 'icmp' ? 'ip' : 'ip6', text)
      rule.add({ kind: 'reject', type: 'icmp', icmpCode })
    },
  }
}

function rejectAny(rule: Draft, reason: keyof typeof icmpx | 'tcp reset'): void {
  if (reason === 'tcp reset') {
    rule.needTransport('tcp', 'reject with tcp reset')
    rule.add({ kind: 'reject', type: 'tcp reset', icmpCode: 0 })
  } else if (rule.family === 'ip' || rule.family === 'ip6')
    rule.add({ kind: 'reject', type: 'icmp', icmpCode: both[rule.family][reason] })
  else rule.add({ kind: 'reject', type: 'icmpx', icmpCode: icmpx[reason] })
}
