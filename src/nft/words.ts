/**
 * Words of the calls, and the kernel's numbers for them. They are apart from the code that uses them, so that the
 * shapes of arguments can be made of them, too: a word that is not here is refused (BAD_ARGUMENT).
 */

export const chainTypes = ['filter', 'nat', 'route'] as const
export const policies = ['accept', 'drop'] as const
export const setPolicies = ['performance', 'memory'] as const
/** The families that a tracked connection's object can be for. */
export const trackedFamilies = ['ip', 'ip6', 'inet'] as const
export const rateUnits = ['packets', 'bytes'] as const
export const numgenModes = ['inc', 'random'] as const
export const directions = ['original', 'reply'] as const

/** NFT_LOGLEVEL_*, in order. */
export const logLevels = [
  ...(['emerg', 'alert', 'crit', 'err', 'warn', 'notice', 'info', 'debug', 'audit'] as const),
] as const
/** NF_LOG_*: what the kernel's log has besides the headers. */
export const logDetails = {
  'tcp sequence': 1,
  'tcp options': 2,
  'ip options': 4,
  skuid: 8,
  ether: 32,
} as const

/** Seconds. */
export const timeUnits = { second: 1n, minute: 60n, hour: 3600n, day: 86400n, week: 604800n } as const

/** NFT_REJECT_ICMPX_*: codes for IPv4 and IPv6 alike. */
export const icmpx = { 'no-route': 0, 'port-unreachable': 1, 'host-unreachable': 2, 'admin-prohibited': 3 }
/** ICMP_*_UNREACH. */
export const icmp = {
  'net-unreachable': 0,
  'host-unreachable': 1,
  'prot-unreachable': 2,
  'port-unreachable': 3,
  'net-prohibited': 9,
  'host-prohibited': 10,
  'admin-prohibited': 13,
}
/** ICMPV6_*. */
export const icmpv6 = {
  'no-route': 0,
  'admin-prohibited': 1,
  'addr-unreachable': 3,
  'port-unreachable': 4,
  'policy-fail': 5,
  'reject-route': 6,
}
