import { hostId, idsOf, type Role, roleOf } from '../base/index.ts'
import {
  contains,
  type HopRule,
  impairmentProblem,
  type LinkRule,
  planCluster,
  resolveSettings,
  type SettingOptions,
  type Topology,
} from '../plan/index.ts'
import type { Document, Path } from './document.ts'
import { badTopology } from './errors.ts'
import { keyOf, setOf } from './form.ts'

interface Checked {
  readonly topology: Topology
  readonly settings: SettingOptions
  readonly document: Document
}

/** Throws BAD_TOPOLOGY for what has the right form and cannot work: a net without nodes, a next hop that is not there. */
export function checkTopology({ topology, settings, document }: Checked): void {
  const refuse: Refuse = (path, reason) => {
    throw badTopology(document.place(path), reason)
  }
  checkSets(topology, refuse)
  for (const { of, nets } of topology.nets) {
    const path = ['nets', keyOf(of)]
    if (nets[0] !== 0) refuse(path, 'the first net must be 0: eth0 is always on net 0')
    if (new Set(nets).size < nets.length) refuse(path, 'a net is in the list twice')
  }
  const wiring = new Wiring(topology)
  for (const rule of topology.setup) checkSetup(rule, wiring, refuse)
  for (const rule of topology.links ?? []) checkLink(rule, wiring, refuse)
  checkSettings(settings, wiring, refuse)
  checkAddresses({ topology, settings, document }, refuse)
}

type Refuse = (path: Path, reason: string) => never

function checkSets({ nets, setup, links = [], hosts = [] }: Topology, refuse: Refuse): void {
  const parts = { nets, setup, links, host: hosts }
  const keys = Object.entries(parts).flatMap(([part, sets]) => sets.map(({ of }) => [part, keyOf(of)]))
  for (const path of keys) {
    const set = setOf(path[1]!)
    const ends = typeof set === 'object' ? set : typeof set === 'number' ? [set] : []
    const stranger = ends.find(id => roleOf(id) === undefined)
    if (stranger !== undefined) refuse(path, `no node can have the number ${stranger}`)
    if (ends.length === 2 && (ends[0]! >= ends[1]! || roleOf(ends[0]!) !== roleOf(ends[1]!)))
      refuse(path, 'a range goes up, and has nodes of one role')
  }
}

/** Which node is on which net, whether or not it is started. */
class Wiring {
  readonly #topology: Topology

  constructor(topology: Topology) {
    this.#topology = topology
  }

  netsOf(id: number): readonly number[] {
    return this.#topology.nets.findLast(({ of }) => contains(of, id))?.nets ?? []
  }

  /** The nodes to which this set's setup applies. */
  nodesOf(rule: Topology['setup'][number]): readonly number[] {
    return everyId.filter(id => this.#topology.setup.find(({ of }) => contains(of, id)) === rule)
  }

  isUsed(net: number): boolean {
    return everyId.some(id => this.netsOf(id).includes(net))
  }

  /** True when the node has its usual address on the net, on the interface or on a bridge over it. */
  isAt(id: number, net: number): boolean {
    const { addresses = {}, bridges = [] } = this.#topology.setup.find(({ of }) => contains(of, id)) ?? {}
    const own = this.netsOf(id).some(each => (addresses[each] ?? each) === net)
    return (
      own ||
      bridges.some(
        ({ nets, address }) => address === net && nets.some(each => this.netsOf(id).includes(each)),
      )
    )
  }
}

const most: Readonly<Record<Role, number>> = { vm: 200, router: 20, tester: 20 }
const everyId = (Object.keys(most) as Role[]).flatMap(role => idsOf(role, most[role]))

function checkSetup(rule: Topology['setup'][number], wiring: Wiring, refuse: Refuse): void {
  const at = ['setup', keyOf(rule.of)]
  const nodes = wiring.nodesOf(rule)
  const isOn = (net: number) => nodes.some(id => wiring.netsOf(id).includes(net))
  const mustBeOn = (path: Path, net: number) => {
    if (!isOn(net)) refuse(path, `none of these nodes is on net ${net}`)
  }
  rule.routes?.forEach(({ to, via }, index) => {
    const path = [...at, 'routes', index]
    if (to !== 'default' && !wiring.isUsed(to)) refuse([...path, 'to'], `no node is on net ${to}`)
    via.forEach((hop, position) => {
      const place = [...path, 'via', ...(via.length > 1 ? [position] : [])]
      mustBeOn(place, hop.net)
      const reason = strayHop(hop, wiring)
      if (reason !== undefined) refuse(place, reason)
    })
  })
  for (const [index, { net }] of rule.rules?.entries() ?? []) mustBeOn([...at, 'rules', index], net)
  for (const net of Object.keys(rule.addresses ?? {})) mustBeOn([...at, 'addresses', net], Number(net))
  rule.masquerade?.forEach((net, index) => {
    if (!wiring.isUsed(net)) refuse([...at, 'masquerade', index], `no node is on net ${net}`)
  })
  rule.bridges?.forEach(({ nets }, index) => {
    for (const net of nets) mustBeOn([...at, 'bridges', index], net)
  })
}

function checkLink({ of, net, ...impairment }: LinkRule, wiring: Wiring, refuse: Refuse): void {
  const path = ['links', keyOf(of), `${net}`]
  const isOn = everyId.some(id => contains(of, id) && wiring.netsOf(id).includes(net))
  if (!isOn) refuse(path, `none of these nodes is on net ${net}`)
  const problem = impairmentProblem(impairment)
  if (problem !== undefined) refuse(path, problem)
}

/** Why a next hop is nowhere. */
function strayHop({ net, node }: HopRule, wiring: Wiring): string | undefined {
  if (node === undefined || node === hostId) return undefined
  if (node === 'routers')
    return idsOf('router', most.router).some(id => wiring.isAt(id, net))
      ? undefined
      : `no router is on net ${net}`
  return wiring.isAt(node, net) ? undefined : `node ${node} has no address on net ${net}`
}

function checkSettings(settings: SettingOptions, wiring: Wiring, refuse: Refuse): void {
  for (const key of Object.keys(settings)) {
    const [, net] = /^mtu(\d+)$/.exec(key) ?? []
    if (net !== undefined && !wiring.isUsed(Number(net)))
      refuse(['settings', key], `no node is on net ${net}`)
  }
}

/** Plans the cluster with its usual numbers: throws what the plan throws, too. */
function checkAddresses({ topology, settings }: Checked, refuse: Refuse): void {
  const { nodes } = planCluster(resolveSettings({ options: { ...settings, topology } }))
  for (const { id, nets, setup } of nodes) {
    const all = [...nets, ...setup.bridges].flatMap(({ ipv4 }) => (ipv4 === undefined ? [] : [ipv4]))
    const twice = all.find((address, index) => all.indexOf(address) < index)
    if (twice === undefined) continue
    const rule = topology.setup.find(({ of }) => contains(of, id))
    refuse(['setup', ...(rule ? [keyOf(rule.of), 'addresses'] : [])], `node ${id} would have ${twice} twice`)
  }
}
