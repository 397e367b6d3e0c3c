import { addressBytes, addressText } from '../../src/base/index.ts'
import type { Wiring } from '../../src/plan/index.ts'
import type { NetNamespace } from '../../src/sys/index.ts'
import { inNamespace, ipJson } from '../../test/support/namespace.ts'
import { bridges, tapsOf } from './wiring.ts'

/** The part of a link in `ip -j -d addr` that all variants must make alike. */
export interface SeenLink {
  readonly ifname: string
  readonly mtu: number
  readonly flags: readonly string[]
  readonly master?: string
  readonly linkinfo?: { readonly info_kind?: string; readonly info_data?: { group_fwd_mask?: string } }
  readonly addr_info: readonly { local: string; prefixlen: number; scope: string }[]
}

/** Throws unless `ip` and `bridge` show the planned network in the namespace. */
export async function mustBeMade(namespace: NetNamespace, wiring: Wiring): Promise<void> {
  const links = await ipJson<SeenLink>(namespace, ['-d', 'addr'])
  const { stdout } = await inNamespace(namespace, ['bridge', '-j', 'link'])
  const ports = (JSON.parse(stdout || '[]') as { ifname: string }[]).map(({ ifname }) => ifname)
  const seen = [...links.map(line), ...ports.map(name => `port ${name}`)]
  mustBe(seen, expected(wiring))
}

/** Throws unless nothing is left but `lo`. */
export async function mustBeGone(namespace: NetNamespace): Promise<void> {
  const links = await ipJson<SeenLink>(namespace, ['link'])
  mustBe(
    links.map(({ ifname }) => ifname),
    ['lo'],
  )
}

function mustBe(seen: readonly string[], wanted: readonly string[]): void {
  const all = [
    ...wanted.filter(each => !seen.includes(each)).map(each => `missing: ${each}`),
    ...seen.filter(each => !wanted.includes(each)).map(each => `unexpected: ${each}`),
  ]
  const more = all.length > 6 ? [`and ${all.length - 6} more`] : []
  if (all.length > 0) throw new Error([...all.slice(0, 6), ...more].join('; '))
}

/** A line for each link, in the form of {@link line}, and one for each port. */
export function expected(wiring: Wiring): string[] {
  const { mtu, host } = wiring
  const taps = tapsOf(wiring)
  return [
    'lo up, 127.0.0.1/8, ::1/128',
    ...bridges.map((name, net) =>
      [
        `${name} up, mtu ${mtu}, bridge 0x4000`,
        ...(host.get(net) ?? []).map(({ address, prefix }) => addressLine(address, prefix)),
      ].join(', '),
    ),
    ...taps.map(({ name, bridge }) => `${name} up, mtu ${mtu}, tun in ${bridge}`),
    ...taps.map(({ name }) => `port ${name}`),
  ]
}

export function line({ ifname, mtu, flags, master, linkinfo, addr_info }: SeenLink): string {
  const { info_kind, info_data } = linkinfo ?? {}
  const kind = info_kind && [info_kind, info_data?.group_fwd_mask].filter(Boolean).join(' ')
  const state = `${ifname} ${flags.includes('UP') ? 'up' : 'down'}`
  const own = addr_info.filter(({ scope }) => scope !== 'link')
  const addresses = own.map(({ local, prefixlen }) => addressLine(local, prefixlen))
  if (ifname === 'lo') return [state, ...addresses].join(', ')
  return [state, `mtu ${mtu}`, master ? `${kind} in ${master}` : `${kind}`, ...addresses].join(', ')
}

/** Normalizes an address, which has several spellings. */
function addressLine(address: string, prefix: number): string {
  return `${addressText(addressBytes(address))}/${prefix}`
}
