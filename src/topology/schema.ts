import { z } from 'zod'
import { hostId, lastNodeId } from '../base/index.ts'
import { type Direction, directions, isTemplate, longestDelayMs, roleKeys, settings } from '../plan/index.ts'

// What a topology file may have (docs/topology-files.md). The JSON Schema for editors is made of this.

const net = z.int().min(0).max(255)
const node = z.int().min(1).max(lastNodeId)
const table = z.int().min(1).max(0xffff_ffff)

/** `vm`, `201`, `10-19`. */
const setPattern = /^(vm|router|tester|[1-9]\d{0,2}(-[1-9]\d{0,2})?)$/

const nodeSet = z.string().regex(setPattern, {
  error: 'is not a set of nodes: a role (vm, router, tester), a number or a range (10-19)',
})
const netKey = z.string().regex(/^\d{1,3}$/, { error: 'is not the number of a net' })
const netList = z.array(net).min(1)

const hop = z.strictObject({
  net: net.describe('the net over which the next hop is reached'),
  node: z
    .union([node, z.literal(hostId), z.enum(['routers', 'host'])])
    .optional()
    .describe(
      'the next hop: a node, all routers on the net, or the host; none: the destination is on the link',
    ),
})

const tables = z
  .union([table, z.strictObject({ ipv4: table, ipv6: table })])
  .describe('a routing table, or one for each family')

const route = z.strictObject({
  to: z.union([net, z.literal('default')]).describe('a net, or the default route'),
  via: z.union([hop, z.array(hop).min(1)]).describe('the next hop; several are one multipath route (ECMP)'),
  table: tables.optional(),
})

const rule = z.strictObject({ net, table: tables })

const address = z.union([
  net,
  z.enum(['none', 'template']),
  z.string().refine(isTemplate, { error: 'is not a template such as 10.1.0.0/16/24' }),
])

const bridge = z.strictObject({
  name: z
    .string()
    .regex(/^[\w.-]{1,15}$/, { error: 'is not a name of 1 to 15 letters, digits, dots or dashes' }),
  mac: z.string().regex(/^([\da-f]{2}:){5}[\da-f]{2}$/, { error: 'is not a MAC address in small letters' }),
  nets: netList,
  address: net.describe('the net whose address of the node the bridge has'),
})

const setup = z.strictObject({
  forwarding: z.boolean().optional().describe('forward packets, IPv4 and IPv6'),
  routes: z.array(route).optional(),
  rules: z.array(rule).optional().describe('sockets bound to the interface on a net use this table first'),
  masquerade: z.array(net).optional().describe('packets from these nets leave through eth0 with its address'),
  addresses: z
    .record(netKey, address)
    .optional()
    .describe("by net: the node's address of another net, none, or a template such as 10.1.0.0/16/24"),
  bridges: z.array(bridge).optional().describe('bridges in the guest over some of its interfaces'),
})

const time = z.number().min(0).max(longestDelayMs).optional()
const share = z.number().min(0).max(1).optional()

const impairment = z.strictObject({
  direction: z.enum(directions).optional().describe('the packets that it concerns, default: sent'),
  delayMs: time.describe('delay each packet'),
  jitterMs: time.describe('let delays differ by up to this'),
  loss: share.describe('lose this share of the packets: 0.01 is 1 %'),
  duplicate: share.describe('send this share twice'),
  reorder: share.describe('send this share at once, ahead of what waits'),
  corrupt: share.describe('flip a bit in this share'),
  rate: z.int().min(8).optional().describe('bits a second'),
  seed: z.int().min(1).optional().describe('the same seed chooses the same packets (Linux 6.7)'),
  down: z.boolean().optional().describe('the cable is out: the guest sees no carrier'),
  partition: z.boolean().optional().describe('nothing passes, unseen by the guest'),
})

/** One, or one for each direction. */
const linkImpairments = z.union([
  impairment,
  z.array(impairment).max(2).refine(differ, { error: 'gives one direction twice' }),
])

function differ(list: readonly { readonly direction?: Direction | undefined }[]): boolean {
  const named = list.flatMap(({ direction = 'sent' }) =>
    direction === 'both' ? ['sent', 'received'] : direction,
  )
  return new Set(named).size === named.length
}

const count = z
  .union([
    z.int().min(0).max(20),
    z.strictObject({ usual: z.int().min(0).max(20), atLeast: z.int().min(0).max(20).optional() }),
  ])
  .optional()

const value = z.union([z.string(), z.number(), z.boolean(), z.array(z.union([z.string(), z.number()]))])
const known = [...Object.keys(settings), ...roleKeys].filter(key => key !== 'topology')

/** A topology file. Keys of `nets` and `setup` are sets of nodes; the smallest set that contains a node counts. */
export const fileSchema = z.strictObject({
  name: z.string().regex(/^[\w.-]{1,64}$/, { error: 'is not a name of letters, digits, dots and dashes' }),
  doc: z.string().max(200).optional().describe('what it is for, in one line'),
  base: z.string().optional().describe('the named topology that this one begins from'),
  nodes: z.int().min(0).max(200).optional().describe('how many cluster nodes it has by default'),
  routers: count.describe('how many routers it has by default'),
  testers: count.describe('how many testers it has by default'),
  more: z.array(z.int().min(1).max(200)).optional().describe('more cluster nodes, by number'),
  nets: z
    .record(nodeSet, netList)
    .optional()
    .describe('the nets of nodes, in the order of their interfaces; eth0 is on net 0'),
  setup: z.record(nodeSet, setup).optional().describe('how nodes route'),
  links: z
    .record(nodeSet, z.record(netKey, linkImpairments))
    .optional()
    .describe('what impairs the links of nodes, by net'),
  host: z
    .record(nodeSet, z.int().min(0).max(9999))
    .optional()
    .describe('the hosts of nodes, from 0, in a lab over several hosts'),
  settings: z
    .looseObject(Object.fromEntries(known.map(key => [key, value.optional().describe(docOf(key))])))
    .optional()
    .describe('settings of `xc start`; also of one node (mem201) or net (mtu1)'),
})

export type TopologyFile = z.infer<typeof fileSchema>
export type FileSetup = z.infer<typeof setup>
export type FileImpairment = z.infer<typeof impairment>
export type FileLink = z.infer<typeof linkImpairments>
export type FileHop = z.infer<typeof hop>

function docOf(key: string): string {
  return Object.hasOwn(settings, key) ? settings[key as keyof typeof settings].doc : 'the same for a role'
}

/** The JSON Schema of a topology file, for editors. */
export function jsonSchema(): object {
  const title = 'xcluster topology file'
  return { ...z.toJSONSchema(fileSchema, { io: 'input', reused: 'ref' }), title }
}
