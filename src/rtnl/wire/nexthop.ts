import { bytes, type Codec, flag, struct, u8, u16, u32, type ValueOf } from '../../base/index.ts'
import { attributes, message, nested } from '../../netlink/index.ts'
import { count } from './statistics.ts'

/** linux/rtnetlink.h, nexthop.h, with the kernel's names. */
export const RTM_NEWNEXTHOP = 104
export const RTM_DELNEXTHOP = 105
export const RTM_GETNEXTHOP = 106
export const RTM_NEWNEXTHOPBUCKET = 116
export const RTM_DELNEXTHOPBUCKET = 117
export const RTM_GETNEXTHOPBUCKET = 118

export const RTNLGRP_NEXTHOP = 32

export const NEXTHOP_GRP_TYPE_RES = 1

/** struct nexthop_grp: the weight less one, its upper eight bits apart (Linux 6.12). */
const member = struct({ id: u32, weightLow: u8, weightHigh: u8, reserved: u16 })
export type NextHopMember = ValueOf<typeof member>

const members: Codec<NextHopMember[]> = {
  write: (out, all) => {
    for (const one of all) member.write(out, one)
  },
  read(from) {
    const all: NextHopMember[] = []
    while (from.left > 0) all.push(member.read(from))
    return all
  },
}

/** NHA_RES_GROUP_*. Times in hundredths of a second (USER_HZ). */
const resilientGroup = attributes({
  buckets: [1, u16],
  idleTimer: [2, u32],
  unbalancedTimer: [3, u32],
  unbalancedTime: [4, count],
})

/** NHA_RES_BUCKET_*. */
const resilientBucket = attributes({ index: [1, u16], idleTime: [2, count], nextHopId: [3, u32] })

/** NHA_*. */
const nextHopAttributes = attributes({
  id: [1, u32],
  group: [2, members],
  groupType: [3, u16],
  blackhole: [4, flag],
  outIndex: [5, u32],
  gateway: [6, bytes],
  encap: [8, nested(bytes)],
  encapType: [7, u16],
  groups: [9, flag],
  master: [10, u32],
  fdb: [11, flag],
  resilient: [12, nested(resilientGroup)],
  bucket: [13, nested(resilientBucket)],
})

/** struct nhmsg and NHA_*: RTM_{NEW,DEL,GET}{NEXTHOP,NEXTHOPBUCKET}. */
export const nextHopMessage = message(
  { family: u8, scope: u8, protocol: u8, reserved: u8, flags: u32 },
  nextHopAttributes,
)
export type NextHopMessage = ReturnType<typeof nextHopMessage.read>
export type NextHopToWrite = Parameters<typeof nextHopMessage.write>[1]
