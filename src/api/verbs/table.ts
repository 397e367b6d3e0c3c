import { rolesText } from '../../base/index.ts'
import { verbTable } from './verb.ts'

const node = { kind: 'node', doc: '1 or vm-001' } as const
const nodes = { kind: 'nodes', doc: 'one or more, 1 or vm-001' } as const
const anyNodes = { ...nodes, optional: true } as const
const newNodes = { ...nodes, kind: 'newNodes' } as const

const wait = {
  kind: 'flag',
  usually: true,
  doc: 'return when it has begun; `xc status` shows the progress',
  optional: true,
} as const

const changing = ['CLUSTER_NOT_READY', 'CLUSTER_STOPPING', 'NODE_MISSING'] as const
const adding = [
  'CLUSTER_NOT_READY',
  'CLUSTER_STOPPING',
  'NODE_NUMBER',
  'NODE_EXISTS',
  'NOT_ENOUGH_MEMORY',
] as const
const booting = ['QEMU_DIED', 'GUEST_PANIC', 'BOOT_TIMEOUT', 'NODE_CONFIG', 'NET_SETUP_FAILED'] as const

/**
 * The operations of a running cluster. The owner's routes with their schemas, the OpenAPI document, the client's
 * calls and the commands of `xc` with help and completion follow from this table (docs/decisions/one-verb.md).
 */
export const verbs = verbTable({
  status: {
    summary: 'show a cluster and its nodes',
    help: 'It also works while the cluster starts.',
    method: 'GET',
    asks: {},
    answer: 'status',
    errors: [],
  },
  stop: {
    summary: 'stop a cluster and remove all of it',
    help: 'The answer comes when everything has been removed, just before the owner ends.',
    asks: {},
    answer: 'stopped',
    errors: ['QEMU_STUCK'],
    anyVersion: true,
  },
  pause: {
    summary: 'pause nodes',
    help: 'Without nodes: all running nodes. A paused node keeps its memory and uses no processor time.',
    asks: { nodes: anyNodes },
    answer: 'status',
    said: { done: 'Paused' },
    errors: [...changing, 'NODE_NOT_READY'],
  },
  resume: {
    summary: 'resume paused nodes',
    help: 'Without nodes: all paused nodes. Their clocks are corrected.',
    asks: { nodes: anyNodes },
    answer: 'status',
    said: { done: 'Resumed' },
    errors: [...changing, 'NODE_NOT_READY'],
  },
  reset: {
    summary: 'replace nodes by fresh ones',
    help: 'Without nodes: all, including failed and paused ones. Files and memory of the old nodes are lost.',
    asks: { nodes: anyNodes, wait },
    answer: 'status',
    said: { done: 'Reset', begun: 'Resetting' },
    errors: [...changing, ...booting],
  },
  scaleout: {
    summary: 'add nodes to a cluster',
    help: `Ids: ${rolesText()}. When one of the new nodes fails, all of them are removed again.`,
    asks: { nodes: newNodes, wait },
    answer: 'status',
    said: { done: 'Added', begun: 'Adding' },
    errors: [...adding, ...booting],
  },
  scalein: {
    summary: 'remove nodes from a cluster',
    help: 'The routes of the other nodes are updated first, so that none leads to a removed node.',
    asks: { nodes },
    answer: 'status',
    said: { done: 'Removed' },
    errors: [...changing, 'NO_NODES', 'TOPOLOGY_COUNT'],
  },
  exec: {
    summary: 'run a command on a node',
    help: 'It runs without a shell. The answer comes when it has ended.',
    asks: {
      node,
      argv: { kind: 'words', doc: 'the command and its arguments' },
      input: { kind: 'base64', doc: "the command's standard input", optional: true },
      timeoutMs: {
        kind: 'milliseconds',
        doc: 'how long to wait for its end; after that it still runs in the guest',
        optional: true,
      },
    },
    answer: 'exec',
    errors: [
      'CLUSTER_NOT_READY',
      'NODE_MISSING',
      'NODE_NOT_READY',
      'AGENT_LOST',
      'QMP_COMMAND',
      'QMP_TIMEOUT',
    ],
  },
  console: {
    summary: "open a node's console",
    help: 'After `Upgrade: xcluster-console`, raw bytes in both directions, beginning with the last lines of output.',
    method: 'GET',
    asks: { node },
    answer: 'upgrade',
    errors: ['CLUSTER_NOT_READY', 'NODE_MISSING', 'NODE_NOT_READY'],
  },
  log: {
    summary: "print the output of a node's console",
    method: 'GET',
    asks: {
      node,
      follow: {
        kind: 'flag',
        usually: false,
        doc: 'follow the output until the node stops',
        optional: true,
      },
    },
    answer: 'text',
    errors: ['NODE_MISSING', 'LOG_MISSING'],
  },
  check: {
    summary: 'check which nodes reach each other',
    help: 'Over IPv4 and IPv6. When a node cannot be reached, the exit status is 1 and `ok` is false.',
    asks: {},
    answer: 'reachReport',
    errors: ['CLUSTER_NOT_READY', 'NODE_NOT_READY', 'AGENT_LOST'],
  },
  events: {
    summary: 'stream the events of a cluster',
    help: 'Server-sent events from now on. The data of each is the JSON value of a cluster event.',
    method: 'GET',
    asks: {},
    answer: 'events',
    errors: [],
  },
})

export type VerbName = keyof typeof verbs
