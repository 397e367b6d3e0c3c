/** linux/netfilter/nfnetlink.h, nf_tables.h, netfilter.h, by the kernel's names. */
export const NFNL_MSG_BATCH_BEGIN = 0x10
export const NFNL_MSG_BATCH_END = 0x11
export const NFNL_SUBSYS_NFTABLES = 10

const message = (number: number) => (NFNL_SUBSYS_NFTABLES << 8) | number
export const NFT_MSG_NEWTABLE = message(0)
export const NFT_MSG_NEWCHAIN = message(3)
export const NFT_MSG_NEWRULE = message(6)

export const NFPROTO_INET = 1
export const NFPROTO_IPV4 = 2
export const NFPROTO_IPV6 = 10

export const NF_ACCEPT = 1
export const NF_INET_POST_ROUTING = 4
export const NF_IP_PRI_NAT_SRC = 100

export const NFT_REG_1 = 1
export const NFT_META_OIFNAME = 7
export const NFT_META_NFPROTO = 15
export const NFT_CMP_EQ = 0
export const NFT_PAYLOAD_NETWORK_HEADER = 1
