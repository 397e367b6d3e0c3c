import type { ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type {
  AnswerOf,
  Applied,
  AskedOf,
  Captures,
  DnsFaults,
  ExecJson,
  Frozen,
  ImpairedLinks,
  JsonAnswers,
  OwnNames,
  ReachReport,
  Stopped,
  Verb,
  VerbTable,
  VerifyReport,
  verbs,
} from '../../api/index.ts'
import type { LinkImpairment, NewDnsFault } from '../../cluster/index.ts'
import { newId, type Topology } from '../../plan/index.ts'
import type { Owner } from '../owner.ts'
import { begun, change, idsOf } from './changes.ts'
import { joinPackets } from './packets.ts'
import { followLog, joinCommand, joinConsole, sendEvents, sendMetrics } from './streams.ts'

/** The implementation of a verb: it returns the answer, or writes a stream to `peer`. */
type Implementation<V extends Verb> = V['answer'] extends keyof JsonAnswers
  ? (owner: Owner, asked: AskedOf<V>) => AnswerOf<V> | Promise<AnswerOf<V>>
  : (owner: Owner, asked: AskedOf<V>, peer: PeerOf<V>) => void | Promise<void>

type PeerOf<V extends Verb> = V['answer'] extends 'upgrade' ? Duplex : ServerResponse

/** An implementation for each verb of a table. */
export type Implementations<T extends VerbTable> = { readonly [Name in keyof T]: Implementation<T[Name]> }

/** The implementations of all verbs. The compiler checks that none is missing and that each has the right answer. */
export const implementations: Implementations<typeof verbs> = {
  status: owner => owner.status(),
  stop,
  freeze,
  pause: (owner, { nodes }) => change(owner, () => owner.cluster().pause(idsOf(owner, nodes))),
  resume: (owner, { nodes }) => change(owner, () => owner.cluster().resume(idsOf(owner, nodes))),
  halt(owner, { nodes }) {
    const ids = idsOf(owner, nodes)!
    return change(owner, () => owner.cluster().halt(ids))
  },
  reset(owner, { nodes, wait }) {
    const ids = idsOf(owner, nodes)
    return change(owner, () => owner.cluster().reset(ids), wait === false && begun(ids))
  },
  scaleout(owner, { nodes, wait }) {
    const ids = [...new Set(nodes.map(newId))]
    return change(owner, () => owner.cluster().scaleOut(ids), wait === false && begun(ids))
  },
  scalein(owner, { nodes }) {
    const ids = idsOf(owner, nodes)!
    return change(owner, () => owner.cluster().scaleIn(ids))
  },
  exec,
  spawn: (owner, { node }, peer) => joinCommand(owner, owner.nodeId(node), peer),
  console: (owner, { node, ...how }, peer) => joinConsole(owner, { node: owner.nodeId(node), ...how }, peer),
  log: (owner, { node, follow = false }, peer) => followLog(owner, { id: node, follow }, peer),
  counters: owner => owner.cluster().counters(),
  metrics: (owner, _, peer) => sendMetrics(owner, peer),
  capture,
  apply,
  links: owner => ({ v: 1, links: owner.cluster().impaired() }),
  impair,
  packets: joinPackets,
  check,
  verify,
  names: owner => namesAnswer(owner, owner.cluster().names.list()),
  nameAdd,
  nameRemove: (owner, { name, type }) => namesAnswer(owner, owner.cluster().names.remove(name, type)),
  dnsFaults: owner => ({ v: 1, faults: owner.cluster().dnsFaults.list() }),
  dnsFaultAdd,
  dnsFaultClear: (owner, { id }) => ({ v: 1, faults: owner.cluster().dnsFaults.clear(id) }),
  events: (owner, asked, peer) => sendEvents(owner, asked, peer),
}

function namesAnswer(owner: Owner, names: OwnNames['names']): OwnNames {
  const { domain } = owner.cluster().names
  return { v: 1, ...(domain !== '' && { domain }), names }
}

function nameAdd(owner: Owner, { nodes, ...record }: AskedOf<typeof verbs.nameAdd>): OwnNames {
  return namesAnswer(owner, [owner.cluster().names.add({ ...record, nodes: idsOf(owner, nodes) })])
}

function dnsFaultAdd(owner: Owner, { nodes, ...fault }: AskedOf<typeof verbs.dnsFaultAdd>): DnsFaults {
  const given = { ...fault, nodes: idsOf(owner, nodes) } as NewDnsFault // the forwarder checks the kind of fault
  return { v: 1, faults: [owner.cluster().dnsFaults.add(given)] }
}

async function stop(owner: Owner): Promise<Stopped> {
  await owner.stop()
  return { v: 1, owner: { pid: process.pid } }
}

async function freeze(
  owner: Owner,
  { snapshot, keep: kept = false }: AskedOf<typeof verbs.freeze>,
): Promise<Frozen> {
  const { name, ...saved } = await owner.cluster().save(snapshot, { keep: kept })
  if (!kept) await owner.stop()
  return { v: 1, snapshot: name, ...saved, kept, owner: { pid: process.pid } }
}

async function capture(
  owner: Owner,
  { node, interfaces, end = false }: AskedOf<typeof verbs.capture>,
): Promise<Captures> {
  const id = owner.nodeId(node)
  const cluster = owner.cluster()
  const nets = cluster.plan.nodes.find(each => each.id === id)!.nets
  const devs = interfaces && [...new Set(interfaces)]
  const captures = end
    ? await owner.captures.end(id, devs ?? owner.captures.of(id))
    : await owner.captures.start(cluster, id, devs ?? nets.map(({ dev }) => dev))
  return { v: 1, captures }
}

async function apply(
  owner: Owner,
  { topology, dryRun = false }: AskedOf<typeof verbs.apply>,
): Promise<Applied> {
  return await owner.cluster().apply(topology as unknown as Topology, { dryRun }) // it checks it
}

async function impair(
  owner: Owner,
  { node, ...asked }: AskedOf<typeof verbs.impair>,
): Promise<ImpairedLinks> {
  await owner.cluster().impair({ node: owner.nodeId(node), ...(asked as Omit<LinkImpairment, 'node'>) }) // it checks it
  return { v: 1, links: owner.cluster().impaired() }
}

async function check(owner: Owner): Promise<ReachReport> {
  const pairs = await owner.cluster().checkReach()
  return { v: 1, ok: pairs.every(pair => pair.ok), pairs }
}

async function verify(owner: Owner, { withinMs }: AskedOf<typeof verbs.verify>): Promise<VerifyReport> {
  const verified = await owner.cluster().verify(withinMs === undefined ? {} : { withinMs })
  return { v: 1, ok: verified.differences.length === 0, ...verified }
}

async function exec(
  owner: Owner,
  { node, argv, input, timeoutMs }: AskedOf<typeof verbs.exec>,
): Promise<ExecJson> {
  const id = owner.nodeId(node)
  const { stdout, stderr, ...ended } = await owner.cluster().exec(id, argv, {
    ...(input !== undefined && { input: Buffer.from(input, 'base64') }),
    ...(timeoutMs !== undefined && { timeoutMs }),
  })
  return {
    v: 1,
    status: ended.status,
    ...(ended.signal !== undefined && { signal: ended.signal }),
    stdout: Buffer.from(stdout).toString('base64'),
    stderr: Buffer.from(stderr).toString('base64'),
  }
}
