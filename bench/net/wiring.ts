import type { Cidr } from '../../src/base/index.ts'
import type { Wiring } from '../../src/plan/index.ts'

const nets = [0, 1, 2]
const mtu = 1500

/** The host is on nets 0 and 2. Net 1 belongs to the cluster. */
const hostNets = [0, 2]

/** Three nets with `count` taps, a third of them on each. */
export function wiringOf(count: number): Wiring {
  const nodes = Array.from({ length: count / nets.length }, (_, i) => ({ id: i + 1, nets }))
  return { mtu, nodes, host: new Map(hostNets.map(net => [net, addressesOf(net)])) }
}

function addressesOf(net: number): Cidr[] {
  return [
    { address: `192.168.${net}.250`, prefix: 24 },
    { address: `fd00::192.168.${net}.250`, prefix: 120 },
  ]
}

interface Tap {
  readonly name: string
  readonly bridge: string
}

export function tapsOf({ nodes }: Wiring): Tap[] {
  return nodes.flatMap(({ id, nets }) =>
    nets.map(net => ({ name: `xcbr${net}_t${id}`, bridge: `xcbr${net}` })),
  )
}

export const bridges = nets.map(net => `xcbr${net}`)

/** The steps of the original's script: one `ip` each. */
export function steps(wiring: Wiring): string[] {
  const taps = tapsOf(wiring).flatMap(({ name, bridge }) => [
    `tuntap add ${name} mode tap`,
    `link set dev ${name} mtu ${wiring.mtu}`,
    `link set dev ${name} master ${bridge}`,
    `link set dev ${name} up`,
  ])
  const switches = nets.flatMap(net => [
    `link add name xcbr${net} type bridge`,
    `link set dev xcbr${net} mtu ${wiring.mtu}`,
    `link set dev xcbr${net} type bridge group_fwd_mask 0x4000`,
    `link set dev xcbr${net} up`,
    ...(wiring.host.get(net) ?? []).map(
      ({ address, prefix }) => `addr add ${address}/${prefix} dev xcbr${net}`,
    ),
  ])
  return ['link set lo up', ...switches, ...taps]
}

/** The same with as few lines as `ip` allows. */
export function fewSteps(wiring: Wiring): string[] {
  const { mtu, host } = wiring
  const taps = tapsOf(wiring).flatMap(({ name, bridge }) => [
    `tuntap add ${name} mode tap`,
    `link set dev ${name} mtu ${mtu} master ${bridge} up`,
  ])
  const switches = nets.flatMap(net => [
    `link add name xcbr${net} mtu ${mtu} type bridge group_fwd_mask 0x4000`,
    `link set dev xcbr${net} up`,
    ...(host.get(net) ?? []).map(
      ({ address, prefix }) =>
        `addr add ${address}/${prefix} dev xcbr${net}${address.includes(':') ? ' nodad' : ''}`,
    ),
  ])
  return ['link set lo up', ...switches, ...taps]
}

/** Removes everything, one by one. */
export function removals(wiring: Wiring): string[] {
  return [...tapsOf(wiring).map(({ name }) => name), ...bridges].map(name => `link del dev ${name}`)
}
