/** The kernel's constants (include/uapi/linux). They are the same on every supported architecture. */
export const AF_NETLINK = 16
export const AF_PACKET = 17
export const ETH_P_ALL = 3
export const SOCK_STREAM = 1
export const SOCK_RAW = 3

export const SOL_SOCKET = 1
export const SO_SNDBUF = 7
export const SO_RCVBUF = 8
export const SO_PEERCRED = 17
export const SO_SNDBUFFORCE = 32
export const SO_RCVBUFFORCE = 33
/** With timestamps of the size that glibc's struct timespec has on 64-bit machines (SO_TIMESTAMPNS_OLD). */
export const SO_TIMESTAMPNS = 35
export const MSG_CMSG_CLOEXEC = 0x40000000

export const SOL_PACKET = 263
export const PACKET_STATISTICS = 6
export const PACKET_AUXDATA = 8

export const SOL_NETLINK = 270
export const NETLINK_ADD_MEMBERSHIP = 1
export const NETLINK_CAP_ACK = 10
export const NETLINK_EXT_ACK = 11
export const NETLINK_GET_STRICT_CHK = 12
export const netlinkProtocols = { route: 0, sockDiag: 4, xfrm: 6, netfilter: 12, generic: 16 } as const

export const IFF_TAP = 0x0002
export const IFF_NO_PI = 0x1000
export const IFF_VNET_HDR = 0x4000
/** Answers EBUSY when the name is taken, where the default is to join another process's persistent tap. */
export const IFF_TUN_EXCL = 0x8000

export const LOCK_SH = 1
export const LOCK_EX = 2
export const LOCK_NB = 4

export const MS_BIND = 0x1000
export const MS_REC = 0x4000
export const MS_SHARED = 0x100000
/** The type that statfs reports for a namespace's file (linux/magic.h). */
export const NSFS_MAGIC = 0x6e736673

export const F_SEAL_SEAL = 1
export const F_SEAL_SHRINK = 2
export const F_SEAL_GROW = 4
export const F_SEAL_WRITE = 8

export const UV_READABLE = 1
export const UV_WRITABLE = 2

export const AF_INET = 2
export const AF_INET6 = 10
export const SOCK_DGRAM = 2
export const SO_REUSEADDR = 2
export const SO_REUSEPORT = 15
export const IPPROTO_IP = 0
/** Whether packets must not be fragmented on their way, and the value for: they may be. */
export const IP_MTU_DISCOVER = 10
export const IPV6_MTU_DISCOVER = 23
export const PMTUDISC_DONT = 0
export const IPPROTO_IPV6 = 41
/** Lets a socket send from addresses that are not this machine's; it needs CAP_NET_ADMIN. */
export const IPV6_TRANSPARENT = 75
export const IPV6_V6ONLY = 26
export const IPV6_RECVPKTINFO = 49
