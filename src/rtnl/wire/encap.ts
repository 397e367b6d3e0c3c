import { be16, be32, be64, bytes, type Codec, i32, struct, u8 } from '../../base/index.ts'
import { attributes } from '../../netlink/index.ts'

/** Label stack entries (RFC 3032): label, traffic class, bottom of stack, TTL. */
const labels: Codec<number[]> = {
  write: (out, stack) => {
    for (const [at, label] of stack.entries())
      be32.write(out, ((label << 12) | (at === stack.length - 1 ? 0x100 : 0)) >>> 0)
  },
  read(from) {
    const stack: number[] = []
    while (from.left > 0) stack.push(be32.read(from) >>> 12)
    return stack
  },
}

/** MPLS_IPTUNNEL_* (linux/mpls_iptunnel.h). */
export const mplsEncap = attributes({ labels: [1, labels], ttl: [2, u8] })

/** LWTUNNEL_IP_* and LWTUNNEL_IP6_* (linux/lwtunnel.h), which have the same numbers. */
export const ipEncap = attributes({
  id: [1, be64],
  to: [2, bytes],
  from: [3, bytes],
  ttl: [4, u8],
  tos: [5, u8],
  flags: [6, be16],
  options: [8, bytes],
})

/** struct seg6_iptunnel_encap and struct ipv6_sr_hdr (RFC 8754), with `segments` last to first, and TLVs. */
const routingHeader = struct({
  mode: i32,
  nextHeader: u8,
  length: u8,
  type: u8,
  left: u8,
  last: u8,
  flags: u8,
  tag: be16,
  segments: bytes,
})

/** SEG6_IPTUNNEL_* (linux/seg6_iptunnel.h). */
export const seg6Encap = attributes({ header: [1, routingHeader] })
