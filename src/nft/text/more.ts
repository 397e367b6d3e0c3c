import type { StatefulExpression } from '../wire/index.ts'
import { hex, joined, type Of, type Writers } from './parts.ts'

/** NFT_OBJECT_*. */
const objectNumbers = {
  counter: 1,
  quota: 2,
  'ct helper': 3,
  limit: 4,
  connlimit: 5,
  tunnel: 6,
  'ct timeout': 7,
  secmark: 8,
  'ct expectation': 9,
  synproxy: 10,
}

const numberOf = (type: string | number = 0): number =>
  typeof type === 'number' ? type : objectNumbers[type as keyof typeof objectNumbers]

function objrefText({ type, name, source, set }: Of<'objref'>): string {
  return set === undefined ? `objref type ${numberOf(type)} name ${name}` : `objref sreg ${source} set ${set}`
}

/** The text of an expression within another is given by the caller: it can be of any kind. */
export const dynsetText =
  (inner: (expression: StatefulExpression) => string) =>
  ({ operation, key, set, data, timeout, expression, expressions }: Of<'dynset'>): string => {
    const each = expressions ?? (expression ? [expression] : [])
    return joined(
      `dynset ${operation} reg_key ${key} set ${set}`,
      data !== undefined && `sreg_data ${data}`,
      timeout !== undefined && `timeout ${timeout}ms`,
      ...each.map(one => `expr [ ${inner(one)} ]`),
    )
  }

function hashText({ source, destination, length, modulus, seed = 0, offset, type }: Of<'hash'>): string {
  const of = type === 'symhash' ? 'symhash()' : `jhash(reg ${source}, ${length}, ${hex(seed)})`
  return joined(`hash reg ${destination} = ${of} % mod ${modulus}`, offset ? `offset ${offset}` : false)
}

/** NFT_QUEUE_FLAG_*. */
const [bypass, fanout] = [1, 2]

function queueText({ number = 0, total = 1, flags = 0, source }: Of<'queue'>): string {
  const to = total > 1 ? `num ${number}-${number + total - 1}` : `num ${number}`
  return joined(
    `queue ${source === undefined ? to : `sreg_qnum ${source}`}`,
    (flags & bypass) !== 0 && 'bypass',
    (flags & fanout) !== 0 && 'fanout',
  )
}

function exthdrText(expression: Of<'exthdr'>): string {
  const { operation = 'ipv6', source, destination, length, type, offset, flags = 0 } = expression
  const place = `${length}b @ ${type} + ${offset}`
  if (source !== undefined) return `exthdr write ${operation} reg ${source} => ${place}`
  return joined(`exthdr load ${operation} ${place}`, flags & 1 ? 'present' : false, `=> reg ${destination}`)
}

/** NFT_XFRM_KEY_*. */
const xfrmKeys = ['unspec', 'daddr4', 'daddr6', 'saddr4', 'saddr6', 'reqid', 'spi']

export const moreTexts: Writers = {
  quota: ({ bytes = 0n, consumed = 0n, flags = 0 }) =>
    `quota bytes ${bytes} consumed ${consumed} flags ${flags}`,
  connlimit: ({ count, flags = 0 }) => `connlimit count ${count} flags ${flags}`,
  last: ({ set, milliseconds = 0n }) => `last ${set ? milliseconds : 'never'}`,
  objref: objrefText,
  hash: hashText,
  queue: queueText,
  exthdr: exthdrText,
  notrack: () => 'notrack',
  rt: ({ key, destination }) => `rt load ${key} => reg ${destination}`,
  socket: ({ key, destination }) => `socket load ${key} => reg ${destination}`,
  osf: ({ destination }) => `osf dreg ${destination}`,
  xfrm: ({ key = 0, direction, spiNumber = 0, destination }) =>
    `xfrm load ${direction === 0 ? 'in' : 'out'} ${spiNumber} ${xfrmKeys[key] ?? key} => reg ${destination}`,
  tproxy: ({ family, address, port }) =>
    joined(
      'tproxy',
      family !== undefined && family !== 0 && `${family}`,
      address !== undefined && `addr reg ${address}`,
      port !== undefined && `port reg ${port}`,
    ),
  synproxy: ({ mss = 0, windowScale = 0 }) => `synproxy mss ${mss} wscale ${windowScale}`,
  flow_offload: ({ flowtable }) => `flow_offload flowtable ${flowtable}`,
  dup: ({ address, device }) =>
    joined(
      'dup',
      address !== undefined && `sreg_addr ${address}`,
      device !== undefined && `sreg_dev ${device}`,
    ),
  fwd: ({ device, address, family }) =>
    joined(
      `fwd sreg_dev ${device}`,
      address !== undefined && `sreg_addr ${address}`,
      family !== undefined && `nfproto ${family === 'ip' ? 2 : family === 'ip6' ? 10 : family}`,
    ),
  match: ({ name, revision = 0 }) => `match name ${name} rev ${revision}`,
  target: ({ name, revision = 0 }) => `target name ${name} rev ${revision}`,
}
