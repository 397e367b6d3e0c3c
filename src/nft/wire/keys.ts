import { be32 } from '../../base/index.ts'
import { choice, enumeration } from './choice.ts'

/** NFT_META_*, in order. */
export const metaKey = enumeration(
  be32,
  ...(['len', 'protocol', 'priority', 'mark', 'iif', 'oif', 'iifname', 'oifname'] as const),
  ...(['iiftype', 'oiftype', 'skuid', 'skgid', 'nftrace', 'rtclassid', 'secmark', 'nfproto'] as const),
  ...(['l4proto', 'bri_iifname', 'bri_oifname', 'pkttype', 'cpu', 'iifgroup', 'oifgroup', 'cgroup'] as const),
  ...(['prandom', 'secpath', 'iifkind', 'oifkind', 'bri_iifpvid', 'bri_iifvproto', 'time', 'day'] as const),
  ...(['hour', 'sdif', 'sdifname', 'broute', 'bri_iifhwaddr'] as const),
)

/** NFT_CT_*, in order. */
export const ctKey = enumeration(
  be32,
  ...(['state', 'direction', 'status', 'mark', 'secmark', 'expiration', 'helper', 'l3protocol'] as const),
  ...(['src', 'dst', 'protocol', 'proto_src', 'proto_dst', 'label', 'packets', 'bytes'] as const),
  ...(['avgpkt', 'zone', 'event', 'src_ip', 'dst_ip', 'src_ip6', 'dst_ip6', 'ct_id'] as const),
)

/** NFPROTO_* of translations. */
export const ipFamily = choice(be32, { ip: 2, ip6: 10 })

/** NFT_OBJECT_*. */
export const objectType = choice(be32, {
  counter: 1,
  quota: 2,
  'ct helper': 3,
  limit: 4,
  connlimit: 5,
  tunnel: 6,
  'ct timeout': 7,
  secmark: 8,
  'ct expectation': 9,
  synproxy: 10,
})
