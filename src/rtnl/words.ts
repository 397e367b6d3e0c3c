import * as wire from './wire/index.ts'

/**
 * Words of the calls, and the kernel's numbers for them. They are apart from the code that uses them, so that the
 * shapes of arguments can be made of them, too: a word that is not here is refused (BAD_ARGUMENT).
 */

/** FR_ACT_*: what a rule does with matching packets. */
export const ruleActions = { lookup: 1, goto: 2, nop: 3, blackhole: 6, unreachable: 7, prohibit: 8 } as const

/** NUD_*: the state of an address's resolution, each a bit. */
export const neighbourStates = {
  none: 0,
  incomplete: 0x01,
  reachable: 0x02,
  stale: 0x04,
  delay: 0x08,
  probe: 0x10,
  failed: 0x20,
  noarp: 0x40,
  permanent: 0x80,
} as const

/** The table of a forwarding entry. */
export const fdbTables = { master: wire.NTF_MASTER, self: wire.NTF_SELF } as const

/** As br_fdb.c and vxlan_core.c take them: an entry that does not age is also NOARP. */
export const fdbStates = {
  permanent: wire.NUD_PERMANENT | wire.NUD_NOARP,
  static: wire.NUD_NOARP | wire.NUD_REACHABLE,
  dynamic: wire.NUD_REACHABLE,
} as const

/** IN6_ADDR_GEN_MODE_*, in order. */
export const addrGenModes = ['eui64', 'none', 'stable-secret', 'random'] as const

/** The kinds of filters, and the fields that say which packets they match. */
export const filterKinds = {
  u32: ['from', 'to', 'keys'],
  flower: ['from', 'to', 'match'],
  matchall: [],
} as const satisfies Readonly<Record<string, readonly string[]>>

/** ETH_P_* (linux/if_ether.h), of filters. */
export const filterProtocols = {
  all: 0x0003,
  ip: 0x0800,
  arp: 0x0806,
  '802.1Q': 0x8100,
  ipv6: 0x86dd,
} as const
