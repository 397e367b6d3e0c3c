import { badValue } from '../errors.ts'
import { take } from '../takes.ts'
import { icmp, icmpv6, icmpx } from '../words.ts'
import type { Draft, Statement } from './draft.ts'

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
  if (!Object.hasOwn(codes, word)) throw badValue(text, `it is not one of ${Object.keys(codes).join(', ')}`)
  const icmpCode = codes[word] as number
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
