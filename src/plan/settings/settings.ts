import { lastNodeId, XclusterError } from '../../base/index.ts'
import {
  choice,
  clusterName,
  hostNetList,
  ipv4Base,
  ipv6Prefix,
  type Kind,
  nameServers,
  namespace,
  netList,
  prefix6,
  spoofedNames,
  text,
  uplinks,
  whole,
} from './kinds.ts'

/** One setting: its names, the values it can have, and its default. */
export interface Setting<T> {
  /** Its environment variable, with the name that the original xcluster gave it. */
  readonly variable: string
  readonly kind: Kind<T>
  readonly default: NoInfer<T>
  /** One line for the help, without a full stop. */
  readonly doc: string
  /** The value of an option given without one. */
  readonly bare?: string
}

const always = <T>(setting: Setting<T>) => ({ ...setting, scope: 'always' as const })
/** `<variable><N>` and `--<option><N>` set it for node N alone. */
const perNode = <T>(setting: Setting<T>) => ({ ...setting, scope: 'node' as const })
/** Resolved only when it is given: otherwise the topology may have a better value than the default. */
const byTopology = <T>(setting: Setting<T>) => ({ ...setting, scope: 'topology' as const })

/** User ids below 1000 belong to the system, and the largest is the kernel's -1. */
const uids = whole(1000, 4_000_000_000)
const accelerators = choice('auto', 'kvm', 'tcg')
const machines = choice('auto', 'q35', 'pc', 'microvm')
const cloning = choice('always', 'off')
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
  mem: perNode({ variable: '__mem', kind: whole(48, 1 << 20), default: 128, doc: 'memory of a node, MiB' }),
  smp: perNode({ variable: '__smp', kind: whole(1, 64), default: 2, doc: 'processors of a node' }),
  append: perNode({ variable: '__append', kind: text, default: '', doc: 'more kernel parameters' }),
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
  topology: always({ variable: 'XCLUSTER_TOPOLOGY', kind: text, default: 'xnet', doc: 'named topology' }),
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
  kernel: always({
    variable: '__kernel',
    kind: text,
    default: '',
    doc: 'kernel file; empty: the newest installed',
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
  dns: always({
    variable: '__dns',
    kind: choice('on', 'off'),
    default: 'on',
    doc: 'DNS forwarder for the cluster',
  }),
  dnsUpstream: always({
    variable: '__dns_upstream',
    kind: nameServers,
    default: 'on',
    doc: 'name servers: on (from resolv.conf), off, or a list',
  }),
  dnsSpoof: always({
    variable: '__dns_spoof',
    kind: spoofedNames,
    default: [],
    doc: 'names to answer: NAME=ADDRESS,…',
  }),
  dnsHosts: always({
    variable: '__dns_hosts',
    kind: text,
    default: '',
    doc: 'file of names to answer, like hosts(5)',
  }),
  dnsLog: always({ variable: '__dns_log', kind: text, default: '', doc: 'file for a log of all queries' }),
} as const

type Table = typeof settings
export type SettingKey = keyof Table
type KeysOf<S extends Table[SettingKey]['scope']> = {
  [K in SettingKey]: Table[K]['scope'] extends S ? K : never
}[SettingKey]
type Value<K extends SettingKey> = Table[K] extends Setting<infer T> ? T : never

/**
 * Settings for one node, `mem3`, `nets201`, or for one net, `mtu1`. Each is a key of its own, because each is
 * a variable of its own.
 */
export interface NodeSettings {
  readonly [key: `mem${number}` | `smp${number}` | `mtu${number}`]: number
  readonly [key: `append${number}`]: string
  readonly [key: `nets${number}`]: readonly number[]
}

/** All settings with their values. They can be written as JSON, and used as options again. */
export type Settings = { readonly [K in KeysOf<'always' | 'node'>]: Value<K> } & {
  readonly [K in KeysOf<'topology'>]?: Value<K>
} & NodeSettings

/** Settings that a caller gives. Text is read as on the command line. */
export type SettingOptions = { readonly [K in SettingKey]?: Value<K> | string } & {
  readonly [key: `${'mem' | 'smp' | 'mtu'}${number}`]: number | string
  readonly [key: `append${number}`]: string
  readonly [key: `nets${number}`]: readonly number[] | string
}

export type Environment = Readonly<Record<string, string | undefined>>

/** `netsVm` → `--nets-vm`, `mem3` → `--mem3`. */
export function optionOf(key: string): string {
  return `--${key.replace(/[A-Z]/g, letter => `-${letter.toLowerCase()}`)}`
}

/** The settings that can be given for one node, by its id, or for one net, 0–255. */
const numbered = {
  mem: { ...settings.mem, from: 1, to: lastNodeId },
  smp: { ...settings.smp, from: 1, to: lastNodeId },
  append: { ...settings.append, from: 1, to: lastNodeId },
  nets: { ...settings.netsVm, from: 1, to: lastNodeId },
  mtu: { ...settings.mtu, from: 0, to: 255 },
} as const
const numberedKey = new RegExp(`^(${Object.keys(numbered).join('|')})(0|[1-9]\\d{0,2})$`)

/** True when `key` has the form of a setting for one node or net: `mem3`. The setting may still not exist. */
function isNumbered(key: string): boolean {
  return numberedKey.test(key)
}

/** The setting of a key, which may be for one node or net: `nvm`, `mem3`. */
function settingOf(key: string): Setting<unknown> | undefined {
  if (Object.hasOwn(settings, key)) return settings[key as SettingKey] as Setting<unknown>
  const [, name, number] = numberedKey.exec(key) ?? []
  const one = name && numbered[name as keyof typeof numbered]
  if (!one || Number(number) < one.from || Number(number) > one.to) return undefined
  return { ...one, variable: `__${key}` } as Setting<unknown>
}

/**
 * The value of every setting: from `options`, else from the environment, else the default. Throws BAD_SETTING
 * and UNKNOWN_SETTING (usage), which name the value as it was given (option or variable).
 */
export function resolveSettings(from: { env?: Environment; options?: SettingOptions }): Settings {
  const { env = {}, options = {} } = from
  const values: Record<string, unknown> = {}
  for (const key of [...Object.keys(settings), ...numberedKeysIn(env)]) {
    const setting = settingOf(key)!
    // An empty variable is not set. Nor is one that equals the default where a topology may have another
    // value: so `eval "$(xc env)"` changes nothing.
    const given = env[setting.variable]
    const asked = given ? read(setting, setting.variable, given) : undefined
    const quiet = settings[key as SettingKey]?.scope === 'topology'
    if (!quiet) values[key] = asked ?? setting.default
    else if (asked !== undefined && given !== setting.kind.print(setting.default)) values[key] = asked
  }
  for (const [key, value] of Object.entries(options)) {
    if (value === undefined) continue
    const setting = settingOf(key)
    if (!setting) throw unknownSetting(key)
    values[key] = read(setting, optionOf(key), value)
  }
  return values as unknown as Settings
}

/** The value for one node: its own, else the one for all nodes. */
export function settingFor<K extends 'mem' | 'smp' | 'append'>(
  all: Settings,
  key: K,
  node: number,
): Settings[K] {
  return (valuesOf(all)[`${key}${node}`] ?? all[key]) as Settings[K]
}

/** The MTU of each net that has one of its own. */
export function mtusOf(all: Settings): Record<number, number> {
  const own = Object.entries(valuesOf(all)).flatMap(([key, value]) => {
    const [, net] = /^mtu(\d+)$/.exec(key) ?? []
    return net === undefined ? [] : [[net, value]]
  })
  return Object.fromEntries(own)
}

/** All settings as sorted `NAME=value` lines, quoted for the `eval` of a POSIX shell. */
export function printSettings(all: Settings): string {
  const values = valuesOf(all)
  const keys = new Set([...Object.keys(settings), ...Object.keys(values)])
  const lines = [...keys].map(key => {
    const { variable, kind, default: usual } = settingOf(key)!
    return [variable, quoted(kind.print(values[key] ?? usual))] as const
  })
  const sorted = lines.sort(([a], [b]) => (a < b ? -1 : 1))
  return sorted.map(([name, value]) => `${name}=${value}\n`).join('')
}

const valuesOf = (all: Settings) => all as unknown as Readonly<Record<string, unknown>>

function quoted(value: string): string {
  return /^[\w.,:/@%+=-]*$/.test(value) ? value : `'${value.replaceAll("'", "'\\''")}'`
}

function numberedKeysIn(env: Environment): string[] {
  const keys = Object.keys(env).map(name => (name.startsWith('__') ? name.slice(2) : ''))
  return keys.filter(key => isNumbered(key) && env[`__${key}`] && settingOf(key))
}

function read(setting: Setting<unknown>, spelling: string, value: unknown): unknown {
  const result = setting.kind.read(value)
  if (result !== undefined) return result
  const shown = typeof value === 'string' ? value : JSON.stringify(value)
  const reason = `'${shown}' is not ${setting.kind.expects}`
  throw new XclusterError({ code: 'BAD_SETTING', kind: 'usage', target: spelling, reason })
}

function unknownSetting(key: string): XclusterError {
  const reason = `there is no setting '${key}'`
  const remedy = 'xc env lists all settings'
  return new XclusterError({ code: 'UNKNOWN_SETTING', kind: 'usage', reason, remedy })
}
