/** linux/neighbour.h, fib_rules.h, rtnetlink.h: neighbours and rules, with the kernel's names. */
export const RTM_NEWNEIGH = 28
export const RTM_DELNEIGH = 29
export const RTM_GETNEIGH = 30
export const RTM_NEWRULE = 32
export const RTM_DELRULE = 33
export const RTM_GETRULE = 34

export const RTNLGRP_NEIGH = 3
export const RTNLGRP_IPV4_RULE = 8
export const RTNLGRP_IPV6_RULE = 19

export const NUD_REACHABLE = 0x02
export const NUD_NOARP = 0x40
export const NUD_PERMANENT = 0x80

export const NTF_USE = 0x01
export const NTF_SELF = 0x02
export const NTF_MASTER = 0x04
export const NTF_PROXY = 0x08
export const NTF_EXT_LEARNED = 0x10
export const NTF_OFFLOADED = 0x20
export const NTF_STICKY = 0x40
export const NTF_ROUTER = 0x80

/** NDA_FLAGS_EXT. */
export const NTF_EXT_MANAGED = 0x1
export const NTF_EXT_LOCKED = 0x2

export const FIB_RULE_PERMANENT = 0x1
export const FIB_RULE_INVERT = 0x2
export const FIB_RULE_UNRESOLVED = 0x4
export const FIB_RULE_IIF_DETACHED = 0x8
export const FIB_RULE_OIF_DETACHED = 0x10
