import { be16, be32, be64, bytes, text, u8 } from '../../base/index.ts'
import { attributes, bareText, list, nested } from '../../netlink/index.ts'
import { logLevels } from '../words.ts'
import { choice, enumeration } from './choice.ts'
import { data } from './data.ts'
import { nothing } from './expression-codec.ts'
import { ctKey, ipFamily, metaKey, objectType } from './keys.ts'
import { stateful, statefulTables } from './stateful-tables.ts'

const comparison = enumeration(be32, 'eq', 'neq', 'lt', 'lte', 'gt', 'gte')
const logLevel = enumeration(be32, ...logLevels)
const base = enumeration(be32, 'link', 'network', 'transport', 'inner')

/** NFTA_<EXPRESSION>_*: the attributes of each expression, by the kernel's name for it. */
export const tables = {
  immediate: attributes({ destination: [1, be32], data: [2, data] }),
  bitwise: attributes({
    source: [1, be32],
    destination: [2, be32],
    length: [3, be32],
    mask: [4, data],
    xor: [5, data],
    operation: [6, enumeration(be32, 'bool', 'lshift', 'rshift')],
    data: [7, data],
  }),
  byteorder: attributes({
    source: [1, be32],
    destination: [2, be32],
    operation: [3, enumeration(be32, 'ntoh', 'hton')],
    length: [4, be32],
    size: [5, be32],
  }),
  cmp: attributes({ source: [1, be32], operation: [2, comparison], data: [3, data] }),
  range: attributes({
    source: [1, be32],
    operation: [2, enumeration(be32, 'eq', 'neq')],
    from: [3, data],
    to: [4, data],
  }),
  lookup: attributes({
    set: [1, text],
    source: [2, be32],
    destination: [3, be32],
    setId: [4, be32],
    flags: [5, be32],
  }),
  payload: attributes({
    destination: [1, be32],
    base: [2, base],
    offset: [3, be32],
    length: [4, be32],
    source: [5, be32],
    checksumType: [6, be32],
    checksumOffset: [7, be32],
    checksumFlags: [8, be32],
  }),
  exthdr: attributes({
    destination: [1, be32],
    type: [2, u8],
    offset: [3, be32],
    length: [4, be32],
    flags: [5, be32],
    operation: [6, enumeration(be32, 'ipv6', 'tcpopt', 'ipv4', 'sctp', 'dccp')],
    source: [7, be32],
  }),
  meta: attributes({ destination: [1, be32], key: [2, metaKey], source: [3, be32] }),
  rt: attributes({
    destination: [1, be32],
    key: [2, enumeration(be32, 'classid', 'nexthop4', 'nexthop6', 'tcpmss', 'xfrm')],
  }),
  ct: attributes({ destination: [1, be32], key: [2, ctKey], direction: [3, u8], source: [4, be32] }),
  ...statefulTables,
  log: attributes({
    group: [1, be16],
    prefix: [2, text],
    snapLength: [3, be32],
    queueThreshold: [4, be16],
    level: [5, logLevel],
    flags: [6, be32],
  }),
  reject: attributes({ type: [1, enumeration(be32, 'icmp', 'tcp reset', 'icmpx')], icmpCode: [2, u8] }),
  nat: attributes({
    type: [1, enumeration(be32, 'snat', 'dnat')],
    family: [2, ipFamily],
    addressMin: [3, be32],
    addressMax: [4, be32],
    portMin: [5, be32],
    portMax: [6, be32],
    flags: [7, be32],
  }),
  masq: attributes({ flags: [1, be32], portMin: [2, be32], portMax: [3, be32] }),
  redir: attributes({ portMin: [1, be32], portMax: [2, be32], flags: [3, be32] }),
  dup: attributes({ address: [1, be32], device: [2, be32] }),
  fwd: attributes({ device: [1, be32], address: [2, be32], family: [3, ipFamily] }),
  numgen: attributes({
    destination: [1, be32],
    modulus: [2, be32],
    mode: [3, enumeration(be32, 'inc', 'random')],
    offset: [4, be32],
  }),
  fib: attributes({
    destination: [1, be32],
    result: [2, choice(be32, { oif: 1, oifname: 2, type: 3 })],
    flags: [3, be32],
  }),
  hash: attributes({
    source: [1, be32],
    destination: [2, be32],
    length: [3, be32],
    modulus: [4, be32],
    seed: [5, be32],
    offset: [6, be32],
    type: [7, enumeration(be32, 'jhash', 'symhash')],
  }),
  dynset: attributes({
    set: [1, text],
    setId: [2, be32],
    operation: [3, enumeration(be32, 'add', 'update', 'delete')],
    key: [4, be32],
    data: [5, be32],
    timeout: [6, be64],
    expression: [7, stateful],
    flags: [9, be32],
    expressions: [10, nested(list(stateful, 1))],
  }),
  objref: attributes({
    type: [1, objectType],
    name: [2, bareText],
    source: [3, be32],
    set: [4, bareText],
    setId: [5, be32],
  }),
  notrack: nothing,
  queue: attributes({ number: [1, be16], total: [2, be16], flags: [3, be16], source: [4, be32] }),
  tproxy: attributes({ family: [1, ipFamily], address: [2, be32], port: [3, be32] }),
  socket: attributes({
    key: [1, enumeration(be32, 'transparent', 'mark', 'wildcard', 'cgroupv2')],
    destination: [2, be32],
    level: [3, be32],
  }),
  synproxy: attributes({ mss: [1, be16], windowScale: [2, u8], flags: [3, be32] }),
  flow_offload: attributes({ flowtable: [1, text] }),
  osf: attributes({ destination: [1, be32], ttl: [2, u8], flags: [3, be32] }),
  xfrm: attributes({
    destination: [1, be32],
    key: [2, be32],
    direction: [3, u8],
    spiNumber: [4, be32],
  }),
  tunnel: attributes({ key: [1, be32], destination: [2, be32], mode: [3, be32] }),
  match: attributes({ name: [1, text], revision: [2, be32], info: [3, bytes] }),
  target: attributes({ name: [1, text], revision: [2, be32], info: [3, bytes] }),
}
