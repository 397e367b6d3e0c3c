import { rolesText } from '../../base/index.ts'
import { impairment, verbTable } from './verb.ts'

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
const starting = ['QEMU_DIED', 'GUEST_PANIC', 'BOOT_BROKEN', 'BOOT_TIMEOUT'] as const
const booting = [...starting, 'NODE_CONFIG', 'NET_SETUP_FAILED'] as const

const nameHelp =
  'The record is there at once. An equal one gets the new TTL. With nodes, these see nothing else of that name.'
const faultHelp =
  'Delays come on top of other faults. Over TCP a truncated answer is whole. Without a seed there is a random one.'

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
  freeze: {
    summary: 'save a cluster as it is at one moment, and end it',
    help: 'Of a cluster that was started with --freezable. When it cannot be saved it goes on. `xc fork` starts clusters that go on from that moment.',
    asks: {
      snapshot: { kind: 'text', doc: 'the name of what is saved' },
      keep: { kind: 'flag', usually: false, doc: 'let the cluster go on', optional: true },
    },
    answer: 'frozen',
    errors: [
      'CLUSTER_NOT_READY',
      'CLUSTER_STOPPING',
      'CLUSTER_NOT_FREEZABLE',
      'NODE_NOT_READY',
      'NODE_BUSY',
      'SNAPSHOT_NAME',
      'SNAPSHOT_TAKEN',
      'SNAPSHOT_FAILED',
    ],
  },
  resume: {
    summary: 'resume paused nodes',
    help: 'Without nodes: all paused nodes. Their clocks are corrected.',
    asks: { nodes: anyNodes },
    answer: 'status',
    said: { done: 'Resumed' },
    errors: [...changing, 'NODE_NOT_READY'],
  },
  halt: {
    summary: 'stop the VMs of nodes, which stay in the cluster',
    alias: 'stop-vm',
    help: 'As if the machine were switched off: its links are down, and routes to it stay. `xc reset` starts it afresh.',
    asks: { nodes },
    answer: 'status',
    said: { done: 'Stopped' },
    errors: [...changing, 'QEMU_STUCK'],
  },
  reset: {
    summary: 'replace nodes by fresh ones',
    alias: 'reset-vm',
    help: 'Without nodes: all, including failed, stopped and paused ones. Files and memory of the old nodes are lost.',
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
    help: 'It runs without a shell. The answer comes when it has ended, whatever it has left in the background. Input and output can have 32 MiB each.',
    asks: {
      node,
      argv: { kind: 'words', doc: 'the command and its arguments' },
      input: { kind: 'base64', doc: "the command's standard input", optional: true },
      timeoutMs: {
        kind: 'milliseconds',
        doc: 'how long to wait for its end, after which it still runs in the guest; absent: any time',
        optional: true,
      },
    },
    answer: 'exec',
    errors: [
      'CLUSTER_NOT_READY',
      'NODE_MISSING',
      'NODE_NOT_READY',
      'AGENT_LOST',
      'QMP_TIMEOUT',
      'EXEC_TIMEOUT',
      'EXEC_NOT_STARTED',
      'EXEC_NOT_ALLOWED',
      'EXEC_INPUT_LIMIT',
      'EXEC_OUTPUT_LIMIT',
      'EXEC_LOST',
    ],
  },
  counters: {
    summary: 'watch the nodes and the traffic of a cluster',
    help: 'The answer has counters since the start: frames and bytes of each interface, processor time, DNS queries.',
    method: 'GET',
    asks: {},
    answer: 'counters',
    errors: ['CLUSTER_NOT_READY'],
  },
  metrics: {
    summary: 'print the state and the counters of a cluster for Prometheus',
    help: 'States of the cluster and its nodes, milestones of their start, packets, bytes and drops of each link and net, processor time, and what the DNS forwarder counts.',
    method: 'GET',
    asks: {},
    answer: 'text',
    errors: ['CLUSTER_NOT_READY'],
  },
  spawn: {
    summary: 'run a command on a node, with streams',
    help: 'After `Upgrade: xcluster-spawn`, the frames of docs/guest-channel.md in both directions, for one command. `xc exec` uses it.',
    method: 'GET',
    asks: { node },
    answer: 'upgrade',
    errors: ['CLUSTER_NOT_READY', 'NODE_MISSING', 'NODE_NOT_READY', 'EXEC_NO_CHANNEL'],
  },
  console: {
    summary: "open a node's console",
    help: 'After `Upgrade: xcluster-console`, raw bytes in both directions, beginning with the last lines of output. One connection may type, the first; its header `xcluster-console` is `writer`. The others are viewers, and what they send is ignored.',
    method: 'GET',
    asks: {
      node,
      view: { kind: 'flag', usually: false, doc: 'only view what is printed', optional: true },
      take: {
        kind: 'flag',
        usually: false,
        doc: 'type here: the terminal that could becomes a viewer',
        optional: true,
      },
    },
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
  capture: {
    summary: "capture the frames of a node's interfaces",
    help: 'The host captures, on the tap or segment of the interface, with no program in the guest. Without interfaces: all of them; with `end`, all that are being captured. A file has at most 1 GiB.',
    asks: {
      node,
      interfaces: { kind: 'words', doc: 'interfaces of the guest, such as eth1', optional: true },
      end: {
        kind: 'flag',
        usually: false,
        doc: 'end the captures; their files are complete then',
        optional: true,
      },
    },
    answer: 'captures',
    errors: [
      'CLUSTER_NOT_READY',
      'NODE_MISSING',
      'CAPTURE_INTERFACE',
      'CAPTURE_RUNNING',
      'CAPTURE_MISSING',
      'NO_CAPTURE',
    ],
  },
  apply: {
    summary: 'turn a running cluster into what a topology says',
    help: 'Nodes are added, removed, updated or started anew, and impairments changed; the answer has the difference. What a running cluster cannot change is refused before anything is changed.',
    asks: {
      topology: { kind: 'topology', doc: 'a topology, as `xc topology FILE --json` prints it' },
      dryRun: { kind: 'flag', usually: false, doc: 'say what differs, and change nothing', optional: true },
    },
    answer: 'applied',
    errors: [...changing, 'BAD_TOPOLOGY', 'APPLY_REFUSED', 'APPLY_INCOMPLETE', 'NOT_ENOUGH_MEMORY'],
  },
  links: {
    summary: 'list the links that are impaired',
    method: 'GET',
    asks: {},
    answer: 'impairedLinks',
    errors: ['CLUSTER_NOT_READY'],
  },
  impair: {
    summary: 'delay, lose or cut off what a node sends or receives on a link',
    help: "Delay, loss and the like concern what the node sends, or as `direction` says, by netem of the guest's own kernel. Without any: that direction is whole again, and without a direction the link.",
    asks: { node, dev: { kind: 'text', doc: 'interface of the guest, such as eth1' }, ...impairment },
    answer: 'impairedLinks',
    errors: [
      'CLUSTER_NOT_READY',
      'NODE_MISSING',
      'NODE_NOT_READY',
      'LINK_MISSING',
      'BAD_IMPAIRMENT',
      'NO_PARTITION',
      'QDISC_MISSING',
      'QDISC_TAKEN',
      'SEED_UNSUPPORTED',
      'NO_IMPAIRMENT',
      'LINK_KIND_MISSING',
      'FILTER_MISSING',
    ],
  },
  packets: {
    summary: 'capture any links into one pcapng file',
    help: 'After `Upgrade: xcluster-packets`, a pcapng file as it is captured, of all links without nodes and nets. Ending the sending direction ends the capture: then come the counts of frames that were dropped, and the end. The header `xcluster-unseen` has the links that the host cannot see.',
    method: 'GET',
    asks: {
      nodes: { ...nodes, doc: `only links of these: ${nodes.doc}`, optional: true },
      nets: { kind: 'words', doc: 'only links on these nets, by their numbers', optional: true },
      filter: {
        kind: 'text',
        doc: 'as for tcpdump, without arithmetic: tcp port 80 and host 192.168.1.2',
        optional: true,
      },
      snapLength: { kind: 'count', doc: 'bytes of a packet to keep, 14 to 262144', optional: true },
    },
    answer: 'upgrade',
    errors: [
      'CLUSTER_NOT_READY',
      'NODE_MISSING',
      'NET_MISSING',
      'BAD_FILTER',
      'CAPTURE_INTERFACE',
      'NO_CAPTURE',
    ],
  },
  check: {
    summary: 'check which nodes reach each other',
    help: 'Over IPv4 and IPv6. When a node cannot be reached, the exit status is 1 and `ok` is false.',
    asks: {},
    answer: 'reachReport',
    errors: ['CLUSTER_NOT_READY', 'NODE_NOT_READY', 'AGENT_LOST'],
  },
  verify: {
    summary: 'compare what the guests have with the plan',
    help: 'Interfaces, addresses, routes, rules, neighbours, sysctls, masquerading, and the paths that follow. When something differs, the exit status is 1 and `ok` is false. No program runs in the guests.',
    asks: {
      withinMs: {
        kind: 'milliseconds',
        doc: 'how long differences may take to go away (usually 3000)',
        optional: true,
        option: true,
      },
    },
    answer: 'verifyReport',
    errors: ['CLUSTER_NOT_READY'],
  },
  names: {
    summary: "list the names that a cluster's DNS forwarder answers",
    help: 'Names of nodes, of the settings, and those added since the start.',
    method: 'GET',
    asks: {},
    answer: 'names',
    errors: ['CLUSTER_NOT_READY', 'DNS_OFF'],
  },
  nameAdd: {
    summary: 'add a record to the names of a cluster',
    help: nameHelp,
    asks: {
      name: { kind: 'text', doc: 'www.lab.test, *.lab.test, or an address for its reverse name' },
      type: { kind: 'text', doc: 'A, AAAA, CNAME, MX, PTR, SRV, TXT, NS, CAA or TYPE65280' },
      data: { kind: 'text', doc: 'as in a zone file: 0 5 80 www.lab.test', rest: true },
      ttl: { kind: 'count', doc: 'in seconds (usually 5)', optional: true, option: true },
      nodes: { ...nodes, doc: `only for these nodes: ${nodes.doc}`, optional: true, option: true },
    },
    answer: 'names',
    errors: ['CLUSTER_NOT_READY', 'DNS_OFF', 'BAD_RECORD', 'NAME_CONFLICT', 'NODE_MISSING', 'ASKER_UNKNOWN'],
  },
  nameRemove: {
    summary: 'remove records from the names of a cluster',
    help: 'Without a type: all of the name. Prints what was removed. Names of nodes stay.',
    asks: {
      name: { kind: 'text', doc: 'as `xc names` lists it' },
      type: { kind: 'text', doc: 'SRV', optional: true },
    },
    answer: 'names',
    errors: ['CLUSTER_NOT_READY', 'DNS_OFF', 'NAME_MISSING'],
  },
  dnsFaults: {
    summary: 'list the DNS answers that are made to fail',
    method: 'GET',
    asks: {},
    answer: 'dnsFaults',
    errors: ['CLUSTER_NOT_READY', 'DNS_OFF'],
  },
  dnsFaultAdd: {
    summary: 'make DNS answers fail, for tests',
    help: faultHelp,
    asks: {
      name: { kind: 'text', doc: 'www.lab.test; *.lab.test for every name below; * for all' },
      fault: { kind: 'text', doc: 'nxdomain, servfail, refused, drop, delay or truncate' },
      type: { kind: 'text', doc: 'only queries of this type: AAAA', optional: true, option: true },
      nodes: { ...nodes, doc: `only queries of these nodes: ${nodes.doc}`, optional: true, option: true },
      probability: {
        kind: 'share',
        doc: 'the share of queries that fail, up to 1 (usually 1)',
        optional: true,
        option: true,
      },
      seed: { kind: 'count', doc: 'the same seed chooses the same queries', optional: true, option: true },
      delayMs: {
        kind: 'milliseconds',
        doc: 'for delay: the time, up to 60000',
        optional: true,
        option: true,
      },
      times: { kind: 'count', doc: 'how many queries fail', optional: true, option: true },
    },
    answer: 'dnsFaults',
    errors: ['CLUSTER_NOT_READY', 'DNS_OFF', 'BAD_FAULT', 'NODE_MISSING', 'ASKER_UNKNOWN'],
  },
  dnsFaultClear: {
    summary: 'let DNS answers succeed again',
    help: 'Without an id: all of them. Prints what was removed.',
    asks: { id: { kind: 'count', doc: 'as `xc dns-faults` lists it', optional: true } },
    answer: 'dnsFaults',
    errors: ['CLUSTER_NOT_READY', 'DNS_OFF', 'FAULT_MISSING'],
  },
  events: {
    summary: 'stream the events of a cluster',
    help: 'Server-sent events from now on. The data of each is the JSON value of a cluster event.',
    method: 'GET',
    asks: {
      countersMs: {
        kind: 'milliseconds',
        doc: 'also packets, bytes, drops and rates of links and nets, each time that this has passed',
        optional: true,
      },
    },
    answer: 'events',
    errors: ['BAD_ARGUMENT'],
  },
})

export type VerbName = keyof typeof verbs
