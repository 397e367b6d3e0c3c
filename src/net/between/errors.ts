import type { NetlinkError } from '../../nft/index.ts'
import type { SysError } from '../../sys/index.ts'
import { NetError } from '../errors.ts'

interface OnHost {
  /** How errors name the host. */
  readonly host: string
}

export function vniTaken(
  { net, vni, host }: OnHost & { readonly net: number; readonly vni: number },
  cause: unknown,
): NetError {
  return new NetError({
    code: 'VNI_TAKEN',
    op: 'join net',
    target: `${net}`,
    reason: `${host} has a VXLAN device with the number ${vni} on this port already`,
    remedy: 'Stop the lab that has it, or use another port or another job',
    cause,
  })
}

export function portTaken(
  {
    net,
    port,
    host,
    use,
  }: OnHost & {
    /** Absent: the port is for all nets. */
    readonly net?: number
    readonly port: number
    readonly use: 'VXLAN' | 'WireGuard'
  },
  cause: NetlinkError | SysError,
): NetError {
  return new NetError({
    code: 'VXLAN_PORT',
    kind: 'prerequisite',
    ...(net === undefined ? { op: 'join nets' } : { op: 'join net', target: `${net}` }),
    reason: `${host} cannot have UDP port ${port} for ${use}: ${cause.reason}`,
    remedy: 'Stop the program that has it (`ss -ulpn` names it), or give all hosts another port',
    cause,
  })
}

export function noNamespace(host: string): NetError {
  return new NetError({
    code: 'NETS_ALONE',
    kind: 'prerequisite',
    op: 'join nets',
    reason: `the network of ${host} is in user space, and only bridges can be joined with those of other hosts`,
    remedy: 'Run it as root',
  })
}
