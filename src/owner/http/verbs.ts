import type { ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type {
  AnswerOf,
  AskedOf,
  ExecJson,
  JsonAnswers,
  ReachReport,
  Stopped,
  Verb,
  VerbTable,
  verbs,
} from '../../api/index.ts'
import { newId } from '../../plan/index.ts'
import type { Owner } from '../owner.ts'
import { begun, change, idsOf } from './changes.ts'
import { followLog, joinConsole, sendEvents } from './streams.ts'

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
  pause: (owner, { nodes }) => change(owner, () => owner.cluster().pause(idsOf(owner, nodes))),
  resume: (owner, { nodes }) => change(owner, () => owner.cluster().resume(idsOf(owner, nodes))),
  reset(owner, { nodes, wait }) {
    const ids = idsOf(owner, nodes)
    return change(owner, () => owner.cluster().reset(ids), wait === false && begun(ids))
  },
  scaleout(owner, { nodes, wait }) {
    const ids = nodes.map(newId)
    return change(owner, () => owner.cluster().scaleOut(ids), wait === false && begun(ids))
  },
  scalein(owner, { nodes }) {
    const ids = nodes.map(node => owner.nodeId(node))
    return change(owner, () => owner.cluster().scaleIn(ids))
  },
  exec,
  console: (owner, { node }, peer) => joinConsole(owner, owner.nodeId(node), peer),
  log: (owner, { node, follow = false }, peer) => followLog(owner, { id: node, follow }, peer),
  check,
  events: (owner, _, peer) => sendEvents(owner, peer),
}

async function stop(owner: Owner): Promise<Stopped> {
  await owner.stop()
  return { v: 1, owner: { pid: process.pid } }
}

async function check(owner: Owner): Promise<ReachReport> {
  const pairs = await owner.cluster().checkReach()
  return { v: 1, ok: pairs.every(pair => pair.ok), pairs }
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
    truncated: ended.truncated,
  }
}
