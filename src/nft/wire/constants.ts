/** linux/netfilter/nfnetlink.h, nf_tables.h, netfilter.h, with the kernel's names. */
export const NFNL_MSG_BATCH_BEGIN = 0x10
export const NFNL_MSG_BATCH_END = 0x11
export const NFNL_SUBSYS_NFTABLES = 10

const message = (number: number) => (NFNL_SUBSYS_NFTABLES << 8) | number
export const NFT_MSG_NEWTABLE = message(0)
export const NFT_MSG_GETTABLE = message(1)
export const NFT_MSG_DELTABLE = message(2)
export const NFT_MSG_NEWCHAIN = message(3)
export const NFT_MSG_GETCHAIN = message(4)
export const NFT_MSG_DELCHAIN = message(5)
export const NFT_MSG_NEWRULE = message(6)
export const NFT_MSG_GETRULE = message(7)
export const NFT_MSG_DELRULE = message(8)
export const NFT_MSG_NEWSET = message(9)
export const NFT_MSG_GETSET = message(10)
export const NFT_MSG_DELSET = message(11)
export const NFT_MSG_NEWSETELEM = message(12)
export const NFT_MSG_GETSETELEM = message(13)
export const NFT_MSG_DELSETELEM = message(14)
export const NFT_MSG_NEWGEN = message(15)
export const NFT_MSG_GETGEN = message(16)
export const NFT_MSG_TRACE = message(17)
export const NFT_MSG_NEWOBJ = message(18)
export const NFT_MSG_GETOBJ = message(19)
export const NFT_MSG_DELOBJ = message(20)
export const NFT_MSG_GETOBJ_RESET = message(21)
export const NFT_MSG_NEWFLOWTABLE = message(22)
export const NFT_MSG_GETFLOWTABLE = message(23)
export const NFT_MSG_DELFLOWTABLE = message(24)
export const NFT_MSG_GETRULE_RESET = message(25)
/** As NFT_MSG_DEL…, but without an error when there is nothing to delete (Linux 6.3). */
export const NFT_MSG_DESTROYTABLE = message(26)
export const NFT_MSG_DESTROYCHAIN = message(27)
export const NFT_MSG_DESTROYSET = message(29)
export const NFT_MSG_DESTROYSETELEM = message(30)
export const NFT_MSG_DESTROYOBJ = message(31)
export const NFT_MSG_DESTROYFLOWTABLE = message(32)
export const NFT_MSG_GETSETELEM_RESET = message(33)
/** Changes of rulesets, as a multicast group. */
export const NFNLGRP_NFTABLES = 7
/** The ways of packets through the rules. */
export const NFNLGRP_NFTRACE = 9

export const NFPROTO_IPV4 = 2

export const NFT_TABLE_F_DORMANT = 1
export const NFT_TABLE_F_OWNER = 2
export const NFT_TABLE_F_PERSIST = 4

export const NFT_CHAIN_HW_OFFLOAD = 2
export const NFT_CHAIN_BINDING = 4

export const NFT_SET_ANONYMOUS = 0x1
export const NFT_SET_CONSTANT = 0x2
export const NFT_SET_INTERVAL = 0x4
export const NFT_SET_MAP = 0x8
export const NFT_SET_TIMEOUT = 0x10
export const NFT_SET_EVAL = 0x20
export const NFT_SET_OBJECT = 0x40
export const NFT_SET_CONCAT = 0x80
export const NFT_SET_ELEM_INTERVAL_END = 1
export const NFT_SET_ELEM_CATCHALL = 2

/** NFTA_SET_DATA_TYPE of a map whose values are verdicts. */
export const NFT_DATA_VERDICT = 0xffffff00

export const NFT_LOOKUP_F_INV = 1
export const NFT_LIMIT_F_INV = 1

export const NFT_QUOTA_F_INV = 1
export const NFT_CONNLIMIT_F_INV = 1

export const NFT_QUEUE_FLAG_BYPASS = 1
export const NFT_QUEUE_FLAG_CPU_FANOUT = 2

export const NFT_FLOWTABLE_HW_OFFLOAD = 1
export const NFT_FLOWTABLE_COUNTER = 2

/** NF_SYNPROXY_OPT_* (linux/netfilter/nf_synproxy.h). */
export const NF_SYNPROXY_OPT_MSS = 1
export const NF_SYNPROXY_OPT_WSCALE = 2
export const NF_SYNPROXY_OPT_SACK_PERM = 4
export const NF_SYNPROXY_OPT_TIMESTAMP = 8

export const NFT_FIB_F_SADDR = 1
export const NFT_FIB_F_DADDR = 2

/** NF_NAT_RANGE_* (linux/netfilter/nf_nat.h). */
export const NF_NAT_RANGE_PROTO_SPECIFIED = 1 << 1
export const NF_NAT_RANGE_PROTO_RANDOM = 1 << 2
export const NF_NAT_RANGE_PERSISTENT = 1 << 3
export const NF_NAT_RANGE_PROTO_RANDOM_FULLY = 1 << 4

/** The register of verdicts, and the first of the four registers of 16 bytes. */
export const NFT_REG_VERDICT = 0
export const NFT_REG_1 = 1
/** The first of the same bytes as 16 registers of four. */
export const NFT_REG32_00 = 8
