import { z } from 'zod'
import type {
  Applied,
  ClusterEvent,
  DnsFaults,
  JsonAnswers,
  OwnNames,
  ReachReport,
  Status,
  VerifyReport,
} from '../../api/index.ts'
import type { ErrorJson } from '../../base/index.ts'
import { backends, directions } from '../../plan/index.ts'

/** The schemas of the API's answers, for openapi.ts. Those of its requests are in questions.ts. */

const v = z.literal(1)
const count = z.number().int().nonnegative()

const nodeNet = z.object({
  net: count,
  dev: z.string(),
  tap: z.string(),
  mac: z.string(),
  ipv4: z.string().exactOptional(),
  ipv6: z.string().exactOptional(),
})

const nodeState = z.enum([
  ...(['waiting', 'starting', 'booting', 'configuring', 'ready', 'paused'] as const),
  ...(['stopping', 'stopped', 'failed'] as const),
])

const milestone = z
  .enum(['spawned', 'qmp', 'kernel', 'init', 'agent', 'identity', 'ready'])
  .describe('in this order; a clone has neither kernel nor init')

const clusterState = z.enum(['starting', 'ready', 'stopping', 'stopped'])

const nodeStatus = z.object({
  id: count,
  name: z.string(),
  role: z.enum(['vm', 'router', 'tester']),
  state: nodeState,
  reason: z.string().describe('why it failed').exactOptional(),
  warning: z.string().describe('what is wrong with it although it runs').exactOptional(),
  pid: count.describe('of its QEMU').exactOptional(),
  bootMs: z.number().describe('from the start of its QEMU to ready').exactOptional(),
  milestones: z
    .partialRecord(milestone, z.number())
    .describe('milliseconds from the start of its QEMU, to a tenth'),
  console: z.string().describe('file with the output of its console'),
  nets: z.array(nodeNet),
})

const pair = z.object({ ipv4: z.string(), ipv6: z.string() })

const uplink = z.object({
  link: z.string(),
  outside: pair,
  inside: pair,
  table: z.string(),
  sysctls: z.array(z.object({ name: z.string(), before: z.string() })),
})

export const status = z.object({
  v,
  name: z.string(),
  topology: z.string(),
  state: clusterState,
  fabric: z.enum(['bridge', 'user']).describe('absent while starting').exactOptional(),
  netns: z.string().describe('for `nsenter --net=`; empty while starting'),
  userns: z
    .string()
    .describe('rootless: for `nsenter --user= --net= --preserve-credentials`')
    .exactOptional(),
  uplink: uplink.describe('the uplink, and everything that it changed on the host').exactOptional(),
  dns: z
    .object({ address: z.string(), port: count })
    .describe('address of its DNS forwarder, in `netns`; absent while starting, and without a forwarder')
    .exactOptional(),
  owner: z.object({ pid: count }),
  accel: z.string().describe('kvm or tcg; empty while starting'),
  kernel: z.string().describe("version of the guests' kernel; empty while starting"),
  startedAt: z.string(),
  readyMs: z.number().exactOptional(),
  hosts: z
    .array(z.object({ host: count, name: z.string(), cpu: z.string() }))
    .describe('of a lab over several hosts, by number')
    .exactOptional(),
  encrypted: z.boolean().describe('whether nets are encrypted between hosts').exactOptional(),
  nodes: z.array(nodeStatus),
}) satisfies z.ZodType<Status>

const node = { id: count, name: z.string() }

const rates = z.object({
  ...{ frames: count, bytes: count, dropped: count.exactOptional() },
  ...{ framesPerSecond: z.number(), bitsPerSecond: z.number() },
})

/** The data of an event of the stream, and a line of the start pipe before `ready`. */
export const clusterEvent = z.discriminatedUnion('type', [
  z.object({ type: z.literal('notice'), text: z.string().describe('a message for the user') }),
  z.object({
    type: z.literal('step'),
    step: z.enum(['image', 'network', 'template', 'vms', 'configure']),
    state: z.enum(['begin', 'end']),
    text: z.string(),
  }),
  z.object({
    type: z.literal('node'),
    ...node,
    state: nodeState,
    ms: z.number().describe('from the start of its QEMU'),
    reason: z.string().describe('why it failed').exactOptional(),
  }),
  z.object({ type: z.literal('milestone'), ...node, milestone, ms: z.number() }),
  z.object({ type: z.literal('cluster'), state: clusterState }),
  z.object({
    type: z.literal('counters').describe('only with `countersMs`'),
    seconds: z.number().describe('since the reading before'),
    links: z.array(
      z.object({ ...node, dev: z.string(), net: count, sent: rates, received: rates.exactOptional() }),
    ),
    nets: z.array(z.object({ net: count, ...rates.shape }).describe('what nodes have sent on it')),
  }),
]) satisfies z.ZodType<ClusterEvent>

const reachResult = z.object({
  from: z.string(),
  to: z.string(),
  address: z.string(),
  family: z.enum(['ipv4', 'ipv6']),
  ok: z.boolean(),
})

export const reachReport = z.object({
  v,
  ok: z.boolean(),
  pairs: z.array(reachResult),
}) satisfies z.ZodType<ReachReport>

const verifyReport = z.object({
  v,
  ok: z.boolean(),
  differences: z.array(z.object({ node: z.string(), what: z.string(), should: z.string(), is: z.string() })),
  unverified: z.array(z.object({ node: z.string(), reason: z.string() })),
  paths: z.object({ planned: count, broken: count }),
}) satisfies z.ZodType<VerifyReport>

const counted = z.object({ frames: count, bytes: count, dropped: count.exactOptional() })

const counters = z.object({
  v,
  atMs: count.describe('monotonic'),
  load: z.tuple([z.number(), z.number(), z.number()]),
  dns: z.object({ questions: count, answeredHere: count }).exactOptional(),
  tunnel: z
    .object({ sent: count, received: count, strangers: count, refused: count, lost: count })
    .exactOptional()
    .describe('datagrams between hosts, where that is in user space'),
  nodes: z.array(
    z.object({
      id: count,
      cpuMs: count.exactOptional(),
      nets: z.array(
        z.object({ net: count, dev: z.string(), sent: counted, received: counted.exactOptional() }),
      ),
    }),
  ),
})

const applied = z.object({
  v,
  applied: z.boolean().describe('all of it has been changed'),
  warnings: z.array(z.string()).exactOptional().describe('guests that did not answer'),
  changes: z.array(
    z.object({
      how: z
        .enum(['add', 'remove', 'change', 'restart'])
        .describe('restart: the node is started anew because of it'),
      of: z.string().describe('a node, or `net 1`'),
      what: z.string(),
      before: z.string().exactOptional(),
      after: z.string().exactOptional(),
    }),
  ),
}) satisfies z.ZodType<Applied>

const impairedLinks = z.object({
  v,
  links: z.array(
    z.object({
      ...{ node: z.string(), dev: z.string(), net: count },
      ...{ direction: z.enum(directions), by: z.enum(backends) },
      ...{ delayMs: z.number().exactOptional(), jitterMs: z.number().exactOptional() },
      ...{ loss: z.number().exactOptional(), duplicate: z.number().exactOptional() },
      ...{ reorder: z.number().exactOptional(), corrupt: z.number().exactOptional() },
      ...{
        rate: count.exactOptional(),
        seed: count.exactOptional(),
        down: z.boolean().exactOptional(),
        partition: z.boolean().exactOptional(),
      },
    }),
  ),
})

const captures = z.object({
  v,
  captures: z.array(
    z.object({
      node: z.string(),
      dev: z.string(),
      file: z.string().describe('complete when the capture has ended'),
      frames: count,
      bytes: count,
      lost: count.describe('frames that are not in the file'),
    }),
  ),
})

const stopped = z.object({ v, owner: z.object({ pid: count }) })

const frozen = z.object({
  v,
  snapshot: z.string(),
  nodes: count,
  bytes: count.describe('the length of its files'),
  spreadMs: z.number().describe('between the first and the last node that stood still'),
  kept: z.boolean().describe('the cluster goes on'),
  owner: z.object({ pid: count }),
})

const base64 = z.base64()

export const execAnswer = z.object({
  v,
  status: z.number().int().describe('exit status; 128 + signal when a signal ended it'),
  signal: z.number().int().exactOptional(),
  stdout: base64,
  stderr: base64,
})

const nodeNames = z.array(z.string()).describe('absent: all askers').exactOptional()

const names = z.object({
  v,
  domain: z.string().describe("the cluster's domain, if it has one").exactOptional(),
  names: z.array(
    z.object({
      name: z.string(),
      type: z.string(),
      data: z.string().describe('as in a zone file'),
      ttl: count.describe('in seconds'),
      source: z.enum(['node', 'settings', 'added']),
      nodes: nodeNames,
    }),
  ),
}) satisfies z.ZodType<OwnNames>

const dnsFaults = z.object({
  v,
  faults: z.array(
    z.object({
      id: count,
      name: z.string(),
      fault: z.enum(['nxdomain', 'servfail', 'refused', 'drop', 'delay', 'truncate']),
      type: z.string().exactOptional(),
      nodes: nodeNames,
      probability: z.number(),
      seed: count,
      delayMs: count.exactOptional(),
      times: count.exactOptional(),
      matched: count.describe('queries that fitted'),
      failed: count.describe('queries that failed'),
    }),
  ),
}) satisfies z.ZodType<DnsFaults>

/** The schema of each kind of JSON answer. */
export const answers = {
  status,
  reachReport,
  verifyReport,
  stopped,
  frozen,
  captures,
  impairedLinks,
  applied,
  counters,
  exec: execAnswer,
  names,
  dnsFaults,
} satisfies {
  readonly [Kind in keyof JsonAnswers]: z.ZodType<JsonAnswers[Kind]>
}

export const failure = z.object({
  v,
  error: z.object({
    code: z.string(),
    kind: z.enum(['failed', 'usage', 'missing', 'prerequisite']),
    message: z.string(),
    reason: z.string(),
    op: z.string().exactOptional(),
    target: z.string().exactOptional(),
    remedy: z.string().exactOptional(),
    details: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).exactOptional(),
    stack: z.string().exactOptional(),
  }) satisfies z.ZodType<ErrorJson>,
})
