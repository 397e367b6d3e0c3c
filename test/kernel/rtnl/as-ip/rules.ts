import type { Ports, Rule } from '../../../../src/rtnl/index.ts'
import { given, type Shown } from './routes.ts'

const hex = (value: number | undefined) => (value === undefined ? undefined : `0x${value.toString(16)}`)

function networkOf(cidr: string | undefined, address: string, length: string): Shown {
  if (cidr === undefined) return {}
  const [host, prefix] = cidr.split('/')
  const whole = host?.includes(':') ? '128' : '32'
  return prefix === whole ? { [address]: host } : { [address]: host, [length]: Number(prefix) }
}

function portsOf(ports: Ports | undefined, name: string): Shown {
  if (ports === undefined) return {}
  return typeof ports === 'number'
    ? { [name]: ports }
    : { [`${name}_start`]: ports[0], [`${name}_end`]: ports[1] }
}

function actionOf({ action, goto, lacks }: Rule): Shown {
  if (action === 'goto') return { goto, ...(lacks?.includes('goto') && { unresolved: null }) }
  if (action === 'nop') return { nop: null }
  return action === 'lookup' ? {} : { action: { blackhole: '6', unreachable: '7', prohibit: '8' }[action] }
}

function targetOf({ l3mdev, table, protocol, realms }: Rule): Shown {
  return given({
    protocol: protocol === undefined ? undefined : `${protocol}`,
    l3mdev: l3mdev ? null : undefined,
    table: table === undefined ? undefined : `${table}`,
    flow_from: realms?.from?.toString(),
    flow_to: realms?.to?.toString(),
  })
}

/** What `ip -N -j -d rule show` says about a rule that this library lists. */
export function ruleAsIp(rule: Rule): Shown {
  const { lacks, mark, mask, users, tunnelId } = rule
  return given({
    priority: rule.priority,
    not: rule.invert ? null : undefined,
    ...{ src: 'all', ...networkOf(rule.from, 'src', 'srclen') },
    ...networkOf(rule.to, 'dst', 'dstlen'),
    tos: rule.tos ? hex(rule.tos) : undefined,
    fwmark: mark === undefined && mask !== undefined ? '0' : hex(mark),
    fwmask: mask === undefined || mask === 0xffffffff ? undefined : hex(mask),
    iif: rule.inDev,
    iif_detached: lacks?.includes('inDev') ? null : undefined,
    oif: rule.outDev,
    oif_detached: lacks?.includes('outDev') ? null : undefined,
    uid_start: users?.[0],
    uid_end: users?.[1],
    ipproto: rule.ipProtocol === undefined ? undefined : `ipproto-${rule.ipProtocol}`,
    ...portsOf(rule.sourcePorts, 'sport'),
    ...portsOf(rule.destinationPorts, 'dport'),
    tun_id: tunnelId === undefined ? undefined : Number(tunnelId), // JSON.parse has rounded that of ip
    suppress_prefixlen: rule.suppressPrefixLength,
    suppress_ifgroup: rule.suppressGroup === undefined ? undefined : `${rule.suppressGroup}`,
    ...targetOf(rule),
    ...actionOf(rule),
  })
}
