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

export const NFPROTO_IPV4 = 2

export const NFT_TABLE_F_DORMANT = 1
export const NFT_TABLE_F_OWNER = 2

export const NFT_SET_ANONYMOUS = 0x1
export const NFT_SET_CONSTANT = 0x2
export const NFT_SET_INTERVAL = 0x4
export const NFT_SET_MAP = 0x8
export const NFT_SET_CONCAT = 0x80
export const NFT_SET_ELEM_INTERVAL_END = 1

/** NFTA_SET_DATA_TYPE of a map whose values are verdicts. */
export const NFT_DATA_VERDICT = 0xffffff00

export const NFT_LOOKUP_F_INV = 1
export const NFT_LIMIT_F_INV = 1

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
