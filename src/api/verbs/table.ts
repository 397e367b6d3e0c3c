import { rolesText } from '../../base/index.ts'
import { verbTable } from './verb.ts'

const node = { kind: 'node', doc: '1 or vm-001' } as const
const nodes = { kind: 'nodes', doc: '1 or vm-001, as many as wanted' } as const
const anyNodes = { ...nodes, optional: true } as const
const newNodes = { ...nodes, kind: 'newNodes' } as const

const wait = {
  kind: 'flag',
  usually: true,
  doc: 'come back when it has begun; `xc status` shows the rest',
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
 * What a running cluster can be asked to do. The routes of the owner's API with their schemas, OpenAPI, the client's
 * calls, the commands of `xc` with their help and completion are made from these lines (docs/decisions/one-verb.md).
 */
export const verbs = verbTable({
  status: {
    summary: 'show a cluster and its nodes',
    help: 'It answers while the cluster starts, too.',
    method: 'GET',
    asks: {},
    answer: 'status',
    errors: [],
  },
  stop: {
    summary: 'stop a cluster; nothing of it stays',
    help: 'The answer comes when all of it is gone, just before the owner itself ends.',
    asks: {},
    answer: 'stopped',
    errors: ['QEMU_STUCK'],
    anyVersion: true,
  },
  pause: {
    summary: 'stop nodes where they are',
    help: 'Without nodes: all that run. A paused node keeps its memory and takes no time of a processor.',
    asks: { nodes: anyNodes },
    answer: 'status',
    said: { done: 'Paused' },
    errors: [...changing, 'NODE_NOT_READY'],
  },
  resume: {
    summary: 'let paused nodes go on',
    help: 'Without nodes: all that are paused. Their clocks are set right.',
    asks: { nodes: anyNodes },
    answer: 'status',
    said: { done: 'Running again' },
    errors: [...changing, 'NODE_NOT_READY'],
  },
  reset: {
    summary: 'replace nodes by fresh ones',
    help: 'Without nodes: all, the failed and the paused too. Nothing that they held is kept.',
    asks: { nodes: anyNodes, wait },
    answer: 'status',
    said: { done: 'Ready again', begun: 'Being reset' },
    errors: [...changing, ...booting],
  },
  scaleout: {
    summary: 'add nodes to a cluster',
    help: `Ids: ${rolesText()}. When one of the nodes fails, none of them stays.`,
    asks: { nodes: newNodes, wait },
    answer: 'status',
    said: { done: 'Added', begun: 'Being added' },
    errors: [...adding, ...booting],
  },
  scalein: {
    summary: 'take nodes away',
    help: 'The others are told first, so that no route leads to them.',
    asks: { nodes },
    answer: 'status',
    said: { done: 'Taken away' },
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
        doc: 'how long to wait for its end; it goes on in the guest',
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
    help: 'Raw bytes both ways after `Upgrade: xcluster-console`, beginning with its last lines.',
    method: 'GET',
    asks: { node },
    answer: 'upgrade',
    errors: ['CLUSTER_NOT_READY', 'NODE_MISSING', 'NODE_NOT_READY'],
  },
  log: {
    summary: "print what a node's console has said",
    method: 'GET',
    asks: {
      node,
      follow: {
        kind: 'flag',
        usually: false,
        doc: 'go on as the console prints, until the node stops',
        optional: true,
      },
    },
    answer: 'text',
    errors: ['NODE_MISSING', 'LOG_MISSING'],
  },
  check: {
    summary: 'let the nodes try to reach each other',
    help: 'IPv4 and IPv6. When a node cannot be reached, the exit status is 1 and `ok` is false.',
    asks: {},
    answer: 'reachReport',
    errors: ['CLUSTER_NOT_READY', 'NODE_NOT_READY', 'AGENT_LOST'],
  },
  events: {
    summary: 'hear what happens in a cluster',
    help: 'Server-sent events from now on, each the JSON value of a cluster event.',
    method: 'GET',
    asks: {},
    answer: 'events',
    errors: [],
  },
})

export type VerbName = keyof typeof verbs
