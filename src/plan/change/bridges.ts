import { type BridgePlan, mtuOf } from '../network/bridges.ts'

/** The bridges of both plans, and beside the taps of the first those of these nodes in the second. */
export function joinedBridges(before: BridgePlan, after: BridgePlan, added: readonly number[]): BridgePlan {
  const known = new Set(before.bridges.map(({ net }) => net))
  const more = after.bridges.filter(({ net }) => !known.has(net))
  const mtus = Object.fromEntries([
    ...[...known].map(net => [net, mtuOf(before, net)]),
    ...more.map(({ net }) => [net, mtuOf(after, net)]),
  ])
  const taps = after.taps.filter(({ node }) => added.includes(node))
  return { mtu: before.mtu, mtus, bridges: [...before.bridges, ...more], taps: [...before.taps, ...taps] }
}

/** The links of both plans whose net has another MTU in the second. */
export function mtuChanges(
  before: BridgePlan,
  after: BridgePlan,
): { readonly name: string; readonly mtu: number }[] {
  const nets = before.bridges.map(({ net }) => net).filter(net => mtuOf(before, net) !== mtuOf(after, net))
  const links = ({ bridges, taps }: BridgePlan) => [...bridges, ...taps]
  const kept = new Set(links(after).map(({ name }) => name))
  return links(before)
    .filter(({ net, name }) => nets.includes(net) && kept.has(name))
    .map(({ net, name }) => ({ name, mtu: mtuOf(after, net) }))
}
