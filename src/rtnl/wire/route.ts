import {
  bytes,
  type Codec,
  DecodeError,
  i32,
  type Reader,
  struct,
  text,
  u8,
  u16,
  u32,
  type Writer,
} from '../../base/index.ts'
import { attributes, growing, message, nested } from '../../netlink/index.ts'

/** RTA_VIA: a gateway of the other address family. */
const via: Codec<{ family: number; address: Uint8Array }> = {
  write(out, { family, address }) {
    out.u16(family)
    out.put(address)
  },
  read: from => ({ family: from.u16('family'), address: from.take(from.left) }),
}

/** RTA_* that a next hop can have. `encapType` (LWTUNNEL_ENCAP_*) follows `encap`, which it explains. */
const hopTable = {
  gateway: [5, bytes],
  flow: [11, u32],
  via: [18, via],
  encap: [22, nested(bytes)],
  encapType: [21, u16],
} as const
const hopAttributes = attributes(hopTable)

/** struct rtnexthop: one next hop of several. Its `hops` is the weight less one. */
export interface NextHop {
  flags: number
  hops: number
  index: number
  attributes: ReturnType<typeof hopAttributes.read>
}

const nextHops: Codec<NextHop[]> = {
  write: (out, hops) => {
    for (const hop of hops) writeHop(out, hop)
  },
  read(from) {
    const hops: NextHop[] = []
    while (from.left > 0) hops.push(readHop(from))
    return hops
  },
}

const hopHead = struct({ flags: u8, hops: u8, index: i32 })

function writeHop(out: Writer, hop: NextHop): void {
  const start = out.reserve(2)
  hopHead.write(out, hop)
  hopAttributes.write(out, hop.attributes)
  out.patchU16(start, out.length - start)
}

function readHop(from: Reader): NextHop {
  const start = from.offset
  const length = from.u16('next hop length')
  if (length < 8) throw new DecodeError('next hop', start, `its length ${length} is less than 8`)
  const hop = from.window(length - 2, 'next hop')
  from.skip(Math.min(-length & 3, from.left), 'padding')
  return { flags: hop.u8(), hops: hop.u8(), index: hop.i32(), attributes: hopAttributes.read(hop) }
}

/** RTAX_*. `lock` has a bit (1 << RTAX_MTU …) for each metric that the kernel must not change by itself. */
const metrics = attributes({
  lock: [1, u32],
  mtu: [2, u32],
  window: [3, u32],
  rtt: [4, u32],
  rttVar: [5, u32],
  ssthresh: [6, u32],
  cwnd: [7, u32],
  advmss: [8, u32],
  reordering: [9, u32],
  hopLimit: [10, u32],
  initcwnd: [11, u32],
  features: [12, u32],
  rtoMin: [13, u32],
  initrwnd: [14, u32],
  quickAck: [15, u32],
  congestionControl: [16, text],
  fastOpenNoCookie: [17, u32],
})

/** RTA_*. */
const routeAttributes = attributes({
  ...hopTable,
  destination: [1, bytes],
  source: [2, bytes],
  inIndex: [3, i32],
  outIndex: [4, i32],
  metric: [6, u32],
  preferredSource: [7, bytes],
  metrics: [8, metrics],
  nextHops: [9, nextHops],
  mark: [16, u32],
  cache: [
    12,
    growing(
      struct({ clones: u32, lastUse: u32, expires: i32, error: i32, used: u32, id: u32, ts: u32, age: u32 }),
    ),
  ],
  table: [15, u32],
  preference: [20, u8],
  expires: [23, u32],
  uid: [25, u32],
  ttlPropagate: [26, u8],
  nextHopId: [30, u32],
})

/** struct rtmsg and RTA_*: RTM_NEWROUTE, RTM_DELROUTE, RTM_GETROUTE. */
export const routeMessage = message(
  {
    family: u8,
    destinationLength: u8,
    sourceLength: u8,
    tos: u8,
    table: u8,
    protocol: u8,
    scope: u8,
    type: u8,
    flags: u32,
  },
  routeAttributes,
)
export type RouteMessage = ReturnType<typeof routeMessage.read>
export type RouteToWrite = Parameters<typeof routeMessage.write>[1]
