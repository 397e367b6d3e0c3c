/** linux/rtnetlink.h, if_link.h, if_addr.h, if.h, fib_rules.h, with the kernel's names. */
export const RTM_NEWLINK = 16
export const RTM_DELLINK = 17
export const RTM_GETLINK = 18
export const RTM_SETLINK = 19
export const RTM_NEWADDR = 20
export const RTM_DELADDR = 21
export const RTM_GETADDR = 22
export const RTM_NEWROUTE = 24
export const RTM_DELROUTE = 25
export const RTM_GETROUTE = 26
export const RTM_NEWLINKPROP = 108
export const RTM_DELLINKPROP = 109

export const RTNLGRP_LINK = 1
export const RTNLGRP_IPV4_IFADDR = 5
export const RTNLGRP_IPV4_ROUTE = 7
export const RTNLGRP_IPV6_IFADDR = 9
export const RTNLGRP_IPV6_ROUTE = 11

export const AF_UNSPEC = 0
export const AF_INET = 2
export const AF_BRIDGE = 7
export const AF_INET6 = 10

export const IFF_UP = 0x1
export const IFF_NOARP = 0x80
export const IFF_PROMISC = 0x100
export const IFF_ALLMULTI = 0x200
export const IFF_MULTICAST = 0x1000
export const IFF_LOWER_UP = 0x10000

/** IFLA_EXT_MASK: the VLANs of bridges, in ranges. */
export const RTEXT_FILTER_BRVLAN_COMPRESSED = 0x4
/** IFLA_BRIDGE_FLAGS: the bridge itself, not a port. */
export const BRIDGE_FLAGS_SELF = 0x2
export const BRIDGE_VLAN_INFO_PVID = 0x2
export const BRIDGE_VLAN_INFO_UNTAGGED = 0x4
export const BRIDGE_VLAN_INFO_RANGE_BEGIN = 0x8
export const BRIDGE_VLAN_INFO_RANGE_END = 0x10
/** IFLA_EXT_MASK: omit the counters from a listing. */
export const RTEXT_FILTER_SKIP_STATS = 0x8

export const RT_SCOPE_UNIVERSE = 0
export const RT_SCOPE_LINK = 253
export const RT_SCOPE_HOST = 254
export const RT_SCOPE_NOWHERE = 255

export const RT_TABLE_MAIN = 254

export const RTNH_F_ONLINK = 4
export const RTM_F_CLONED = 0x200
export const RTM_F_LOOKUP_TABLE = 0x1000
