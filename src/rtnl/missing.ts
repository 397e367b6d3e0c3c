import { NetlinkError } from '../netlink/index.ts'

/** A feature that a kernel can be built without. */
export interface Lack {
  /** `vxlan links`. */
  readonly what: string
  readonly code: string
  /** `CONFIG_VXLAN`, where it is known. */
  readonly option: string | undefined
  /** The name of the module, where it is built as one. */
  readonly module: string | undefined
  /** True when a refusal means that the feature is missing. */
  readonly shows: (refusal: NetlinkError) => boolean
}

/** Kind of link → kernel option and module (drivers/net, net/*; the module's alias is rtnl-link-<kind>). */
const linkKinds = new Map<string, readonly [option: string, module: string]>(
  Object.entries({
    bond: ['CONFIG_BONDING', 'bonding'],
    bridge: ['CONFIG_BRIDGE', 'bridge'],
    dummy: ['CONFIG_DUMMY', 'dummy'],
    geneve: ['CONFIG_GENEVE', 'geneve'],
    gre: ['CONFIG_NET_IPGRE', 'ip_gre'],
    gretap: ['CONFIG_NET_IPGRE', 'ip_gre'],
    ifb: ['CONFIG_IFB', 'ifb'],
    ip6gre: ['CONFIG_IPV6_GRE', 'ip6_gre'],
    ip6gretap: ['CONFIG_IPV6_GRE', 'ip6_gre'],
    ip6tnl: ['CONFIG_IPV6_TUNNEL', 'ip6_tunnel'],
    ipip: ['CONFIG_NET_IPIP', 'ipip'],
    ipvlan: ['CONFIG_IPVLAN', 'ipvlan'],
    macsec: ['CONFIG_MACSEC', 'macsec'],
    macvlan: ['CONFIG_MACVLAN', 'macvlan'],
    macvtap: ['CONFIG_MACVTAP', 'macvtap'],
    nlmon: ['CONFIG_NLMON', 'nlmon'],
    sit: ['CONFIG_IPV6_SIT', 'sit'],
    team: ['CONFIG_NET_TEAM', 'team'],
    veth: ['CONFIG_VETH', 'veth'],
    vlan: ['CONFIG_VLAN_8021Q', '8021q'],
    vrf: ['CONFIG_NET_VRF', 'vrf'],
    vti: ['CONFIG_NET_IPVTI', 'ip_vti'],
    vti6: ['CONFIG_IPV6_VTI', 'ip6_vti'],
    vxlan: ['CONFIG_VXLAN', 'vxlan'],
    wireguard: ['CONFIG_WIREGUARD', 'wireguard'],
  }),
)

/** net/core/rtnetlink.c, __rtnl_newlink: EOPNOTSUPP, "Unknown device type". */
export function missingLinkKind(kind: string): Lack {
  const [option, module] = linkKinds.get(kind) ?? []
  const shows = ({ reason }: NetlinkError) => reason.includes('Unknown device type')
  return { what: `${kind} links`, code: 'LINK_KIND_MISSING', option, module, shows }
}

/** Queueing disciplines with an option other than CONFIG_NET_SCH_<KIND>. */
const qdiscOptions: Readonly<Record<string, string>> = { pfifo: 'FIFO', bfifo: 'FIFO', clsact: 'INGRESS' }

/** net/sched/sch_api.c: ENOENT, "Specified qdisc kind is unknown". */
export function missingQdisc(kind: string): Lack {
  const name = qdiscOptions[kind] ?? kind.toUpperCase()
  return {
    what: `${kind} queueing discipline`,
    code: 'QDISC_MISSING',
    option: `CONFIG_NET_SCH_${name}`,
    module: `sch_${name.toLowerCase()}`,
    shows: ({ reason }) => reason.includes('qdisc kind is unknown') || reason.includes('Qdisc not found'),
  }
}

/** net/sched/cls_api.c: ENOENT, "TC classifier not found"; act_api.c: "Failed to load TC action module". */
export function missingFilter(kind: string): Lack {
  return {
    what: `${kind} filters`,
    code: 'FILTER_MISSING',
    option: `CONFIG_NET_CLS_${kind.toUpperCase()}`,
    module: `cls_${kind}`,
    shows: ({ reason }) => reason.includes('TC classifier not found'),
  }
}

/** net/sched/act_api.c, tc_action_load_ops: ENOENT, "Failed to load TC action module". */
export function missingAction(kind: string): Lack {
  return {
    what: `${kind} actions`,
    code: 'FILTER_MISSING',
    option: `CONFIG_NET_ACT_${kind.toUpperCase()}`,
    module: `act_${kind}`,
    shows: ({ reason }) => reason.includes('Failed to load TC action'),
  }
}

/**
 * The refusal. If it means that this kernel lacks a feature, it has that feature and its kernel option in the
 * remedy.
 */
export function explained(
  refusal: NetlinkError,
  lacks: readonly Lack[],
  others: readonly NetlinkError[] = [],
): NetlinkError {
  const lack = lacks.find(({ shows }) => shows(refusal))
  if (lack === undefined)
    return others.length > 0 ? new NetlinkError({ ...(refusal as Details), others }) : refusal
  const { what, code, option, module } = lack
  const cure = option ? `load the module ${module}, or use a kernel with ${option}` : 'check the spelling'
  const remedy = `This kernel has no ${what}: ${cure}`
  return new NetlinkError({ ...(refusal as Details), code, kind: 'prerequisite', remedy, others })
}

type Details = ConstructorParameters<typeof NetlinkError>[0]
