import { dnsSettings } from './dns.ts'
import {
  addressTemplate,
  choice,
  clusterName,
  hostNetList,
  ipv4Base,
  ipv6Prefix,
  nameList,
  namespace,
  netList,
  pathList,
  prefix6,
  text,
  topology,
  uplinks,
  whole,
} from './kinds.ts'
import { always, byTopology, perNode, type Setting } from './setting.ts'

export type { Setting } from './setting.ts'

/** The kernel takes 46 MiB, and the packed and the unpacked image 15 each: 94 MiB boot, 92 panic (docs/decisions/cluster.md). */
export const smallestMiB = 100
/** User ids below 1000 belong to the system, and the largest is the kernel's -1. */
const uids = whole(1000, 4_000_000_000)
const accelerators = choice('auto', 'kvm', 'tcg')
const machines = choice('auto', 'q35', 'pc', 'microvm')
const cloning = choice('always', 'off')
const switches = choice('no', 'yes')
const inits = choice('xcluster', 'system')
const fabrics = choice('auto', 'bridge', 'user')
/** Base ports, to which a node's number is added; 0 for none. */
const ports = whole(0, 65_295)

/**
 * Every setting. The key is its name in the library. `fooBar` is `--foo-bar` (or `--foo_bar`) on the command
 * line, which has priority over the environment variable.
 */
export const settings = {
  nvm: always({ variable: '__nvm', kind: whole(0, 200), default: 4, doc: 'cluster nodes, ids from 1' }),
  nrouters: byTopology({
    variable: '__nrouters',
    kind: whole(0, 20),
    default: 2,
    doc: 'routers, ids from 201',
  }),
  ntesters: byTopology({
    variable: '__ntesters',
    kind: whole(0, 20),
    default: 0,
    doc: 'testers, ids from 221',
  }),
  netsVm: byTopology({
    variable: '__nets_vm',
    kind: netList,
    default: [0, 1],
    doc: 'nets of a cluster node',
  }),
  netsRouter: byTopology({
    variable: '__nets_router',
    kind: netList,
    default: [0, 1, 2],
    doc: 'nets of a router',
  }),
  netsTester: byTopology({
    variable: '__nets_tester',
    kind: netList,
    default: [0, 2],
    doc: 'nets of a tester',
  }),
  mem: perNode({
    variable: '__mem',
    kind: whole(smallestMiB, 1 << 20),
    default: 128,
    doc: 'memory of a node, MiB',
  }),
  smp: perNode({ variable: '__smp', kind: whole(1, 64), default: 2, doc: 'processors of a node' }),
  append: perNode({ variable: '__append', kind: text, default: '', doc: 'more kernel parameters' }),
  ovl: always({
    variable: '__ovl',
    kind: nameList,
    default: [],
    doc: 'overlays for all nodes: names, directories or tar files',
  }),
  xovls: always({ variable: 'XOVLS', kind: nameList, default: [], doc: 'overlays that every cluster gets' }),
  cdrom: always({
    variable: '__cdrom',
    kind: text,
    default: '',
    doc: 'ISO image with overlays; empty: what `xc mkcdrom` made last, if anything',
  }),
  ovlPath: always({
    variable: 'XCLUSTER_OVLPATH',
    kind: pathList,
    default: [],
    doc: 'directories with overlays',
  }),
  with: perNode({
    variable: '__with',
    kind: nameList,
    default: [],
    doc: 'programs and installed packages of this machine',
  }),
  packages: always({
    variable: '__packages',
    kind: nameList,
    default: [],
    doc: 'Debian packages for all nodes, fetched into the cache and not installed here',
  }),
  mtu: always({ variable: '__mtu', kind: whole(1280, 65521), default: 1500, doc: 'MTU (IPv6 needs 1280)' }),
  netSetup: always({
    variable: '__net_setup',
    kind: text,
    default: '',
    doc: 'script that prints the QEMU options for a node on a net',
  }),
  hostNets: always({
    variable: '__host_nets',
    kind: hostNetList,
    default: [0, 2],
    doc: 'nets that the host is on',
  }),
  topology: always({
    variable: 'XCLUSTER_TOPOLOGY',
    kind: topology,
    default: 'xnet',
    doc: 'name of a topology, or a file with one, such as lab.yaml',
  }),
  xlanTemplate: always({
    variable: 'XLAN_TEMPLATE',
    kind: addressTemplate,
    default: '',
    doc: 'addresses of nets that the topology leaves without, such as 169.254.0.0/20/24',
  }),
  disableMasquerade: always({
    variable: 'DISABLE_MASQUERADE',
    kind: switches,
    default: 'no',
    doc: 'yes: routers send packets out of eth0 with the addresses that they have',
    bare: 'yes',
  }),
  name: always({
    variable: 'XCLUSTER_NAME',
    kind: clusterName,
    default: 'default',
    doc: "the cluster's name",
  }),
  prefix: always({
    variable: 'xcluster_PREFIX',
    kind: prefix6,
    default: 'fd00:',
    doc: 'IPv6: PREFIX:192.168.0.1',
  }),
  kernel: perNode({
    variable: '__kernel',
    kind: text,
    default: '',
    doc: 'kernel file; empty: the newest installed',
  }),
  modules: perNode({
    variable: '__modules',
    kind: text,
    default: '',
    doc: 'modules of that kernel, lib/modules/VERSION; empty: searched',
  }),
  rootfs: perNode({
    variable: '__rootfs',
    kind: text,
    default: '',
    doc: "tar archive or directory that becomes the guest's root",
  }),
  image: perNode({
    variable: '__image',
    kind: text,
    default: '',
    doc: 'disk image (qcow2 or raw) that nodes start from, as /dev/vda',
  }),
  bootable: perNode({
    variable: '__bootable',
    kind: switches,
    default: 'no',
    doc: "yes: such an image's own boot loader starts it, and not a kernel",
    bare: 'yes',
  }),
  cidata: perNode({
    variable: '__cidata',
    kind: text,
    default: '',
    doc: "directory with files for cloud-init, such as user-data, in place of the node's own",
  }),
  sshKey: always({
    variable: '__ssh_key',
    kind: text,
    default: '',
    doc: 'file with public SSH keys for guests with cloud-init',
  }),
  trustBacking: always({
    variable: '__trust_backing',
    kind: switches,
    default: 'no',
    doc: 'yes: disk images may name other files, which are read',
    bare: 'yes',
  }),
  init: perNode({
    variable: '__init',
    kind: inits,
    default: 'xcluster',
    doc: "first process of such a root: xcluster's, or the root's own (system)",
  }),
  kvm: always({ variable: '__kvm', kind: text, default: '', doc: 'QEMU to run; empty: the one on the PATH' }),
  kvmOpt: always({ variable: '__kvm_opt', kind: text, default: '', doc: 'more options for each QEMU' }),
  uidBase: always({
    variable: '__uid_base',
    kind: uids,
    default: 1_900_000_000,
    doc: 'first user id for QEMU processes',
  }),
  machine: always({ variable: '__machine', kind: machines, default: 'auto', doc: 'QEMU machine type' }),
  accel: always({
    variable: '__accel',
    kind: accelerators,
    default: 'auto',
    doc: 'kvm, tcg, or auto: the best that works',
  }),
  clone: always({
    variable: '__clone',
    kind: cloning,
    default: 'always',
    doc: 'clone VMs from a template; off: boot each',
  }),
  fabric: always({
    variable: '__fabric',
    kind: fabrics,
    default: 'auto',
    doc: 'bridges, user space, or auto: the best that works',
  }),
  telnetBase: always({
    variable: 'XCLUSTER_TELNET_BASE',
    kind: ports,
    default: 12_000,
    doc: 'user space: telnet port of node N is this + N',
  }),
  sshBase: always({
    variable: 'XCLUSTER_SSH_BASE',
    kind: ports,
    default: 12_300,
    doc: 'user space: ssh port of node N is this + N',
  }),
  k8sPort: always({
    variable: 'XCLUSTER_K8S_PORT',
    kind: ports,
    default: 18_080,
    doc: 'user space: port forwarded to node 1, port 8080',
  }),
  k8sApiPort: always({
    variable: 'XCLUSTER_K8S_API_PORT',
    kind: ports,
    default: 7443,
    doc: 'user space: port forwarded to node 1, port 6443',
  }),
  mcastBase: always({
    variable: 'XCLUSTER_MCAST_BASE',
    kind: whole(2, 249),
    default: 120,
    doc: 'user space: net N is multicast group 224.0.0.(this + N)',
  }),
  netns: always({
    variable: '__netns',
    kind: namespace,
    default: '',
    doc: 'network namespace to start in; empty: one of its own',
  }),
  uplink: always({
    variable: '__uplink',
    kind: uplinks,
    default: 'off',
    doc: 'uplink: off, on, or its number',
    bare: 'on',
  }),
  ipv4Base: always({
    variable: '__ipv4_base',
    kind: ipv4Base,
    default: '172.30.0.0/24',
    doc: 'IPv4 network for uplinks, or its first two bytes',
  }),
  ipv6Prefix: always({
    variable: '__ipv6_prefix',
    kind: ipv6Prefix,
    default: 'fd00:1723::',
    doc: 'IPv6 prefix for uplinks, before the IPv4 address',
  }),
  ...dnsSettings,
} as const

type Table = typeof settings
export type SettingKey = keyof Table
/** Those that one node can have a value of its own for. */
export type NodeSettingKey = KeysOf<'node'>
type KeysOf<S extends Table[SettingKey]['scope']> = {
  [K in SettingKey]: Table[K]['scope'] extends S ? K : never
}[SettingKey]
type Value<K extends SettingKey> = Table[K] extends Setting<infer T> ? T : never

type RoleSuffix = 'Vm' | 'Router' | 'Tester'

/**
 * Settings for one role, `memRouter`, one node, `mem3`, `nets201`, or one net, `mtu1`. Each is a key of its own, because
 * each is a variable of its own. They are there where they are given.
 */
export type NarrowSettings = {
  readonly [K in NodeSettingKey as `${K}${RoleSuffix}`]?: Value<K>
} & { readonly [K in NodeSettingKey as `${K}${number}`]: Value<K> } & {
  readonly [key: `nets${number}`]: readonly number[]
  readonly [key: `mtu${number}`]: number
}

/** All settings with their values. They can be written as JSON, and used as options again. */
export type Settings = { readonly [K in KeysOf<'always' | 'node'>]: Value<K> } & {
  readonly [K in KeysOf<'topology'>]?: Value<K>
} & NarrowSettings

/** Settings that a caller gives. Text is read as on the command line. */
export type SettingOptions = { readonly [K in SettingKey]?: Value<K> | string } & {
  readonly [K in keyof NarrowSettings]?: NarrowSettings[K] | string
}

export type Environment = Readonly<Record<string, string | undefined>>
