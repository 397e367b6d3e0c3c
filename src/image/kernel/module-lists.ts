/** The guest's init loads these before anything else: they must be in the kernel or among its modules. */
export const BOOT_MODULES = ['virtio_pci', 'virtio_net', 'virtio_console']

/** Loaded on request, by `modprobe` or by the kernel. A kernel may lack some, which are then left out. */
export const OTHER_MODULES = [
  // disks and other ways to reach a device
  ...['virtio_mmio', 'virtio_blk', 'isofs', 'virtio_rng', 'vmw_vsock_virtio_transport'],
  // links
  ...[
    '8021q',
    'bonding',
    'bridge',
    'br_netfilter',
    'dummy',
    'geneve',
    'ifb',
    'ip6_gre',
    'ip6_tunnel',
    'ip_gre',
  ],
  ...['ipip', 'ipvlan', 'macvlan', 'sit', 'tun', 'veth', 'vrf', 'vxlan', 'wireguard'],
  // nftables: what `nft` needs for filters, NAT, masquerade and load balancing
  ...['nf_tables', 'nft_chain_nat', 'nft_ct', 'nft_fib_inet', 'nft_hash', 'nft_limit', 'nft_log', 'nft_masq'],
  ...['nft_meta_bridge', 'nft_nat', 'nft_numgen', 'nft_quota', 'nft_redir', 'nft_reject_inet', 'nft_socket'],
  ...['nft_tproxy', 'nf_log_syslog', 'nf_conntrack_netlink', 'crc32c_generic'],
  // traffic control
  ...['act_mirred', 'cls_flower', 'cls_u32', 'sch_htb', 'sch_ingress', 'sch_netem', 'sch_tbf'],
]
