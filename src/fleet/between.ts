import { createHash } from 'node:crypto'

/** An interface of a node on a net. */
export interface Attached {
  readonly id: number
  readonly nets: readonly { readonly net: number; readonly mac: string }[]
}

/** A net that has nodes on several hosts. */
export interface NetBetween {
  readonly net: number
  /** Its VXLAN network identifier (RFC 7348 §5). */
  readonly vni: number
  /** The Ethernet addresses on each host that has nodes on it, by the host's number. */
  readonly hosts: ReadonlyMap<number, readonly string[]>
}

/** Where frames to an Ethernet address go: to the host with that number. */
export interface ForwardingEntry {
  readonly mac: string
  readonly host: number
}

/** Stands for all addresses that are not known, broadcast and multicast (`vxlan_fdb`, drivers/net/vxlan). */
const unknownMac = '00:00:00:00:00:00'
const vnis = 2 ** 24

/** The nets that have nodes on several hosts, apart from net 0, ascending. `lab` is the same for all its hosts alone. */
export function netsBetween(
  nodes: readonly Attached[],
  hostOf: ReadonlyMap<number, number>,
  lab: string,
): NetBetween[] {
  const nets = new Map<number, Map<number, string[]>>()
  for (const node of nodes) {
    const host = hostOf.get(node.id)!
    for (const { net, mac } of node.nets) {
      if (net === 0) continue
      const hosts = nets.get(net) ?? new Map<number, string[]>()
      nets.set(net, hosts)
      const macs = hosts.get(host)
      if (macs) macs.push(mac)
      else hosts.set(host, [mac])
    }
  }
  const between = [...nets].filter(([, hosts]) => hosts.size > 1).sort(([a], [b]) => a - b)
  const taken = new Set<number>()
  return between.map(([net, hosts]) => ({ net, vni: vniOf(`${lab} ${net}`, taken), hosts }))
}

/** A number from the text, the next free one when another net has it. */
function vniOf(text: string, taken: Set<number>): number {
  let vni = createHash('sha256').update(text).digest().readUIntBE(0, 3)
  while (vni === 0 || taken.has(vni)) vni = (vni + 1) % vnis
  taken.add(vni)
  return vni
}

/**
 * The entries of a host's VXLAN device: the known address of each node elsewhere, and every other host that has nodes on
 * the net for the rest. A frame that came from another host never goes to a third: each host sends to all by itself.
 */
export function entriesOn(host: number, { hosts }: NetBetween): ForwardingEntry[] {
  const others = [...hosts].filter(([other]) => other !== host)
  return [
    ...others.flatMap(([other, macs]) => macs.map(mac => ({ mac, host: other }))),
    ...others.map(([other]) => ({ mac: unknownMac, host: other })),
  ]
}
