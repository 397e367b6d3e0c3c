import { take } from '../takes.ts'
import { types } from '../types.ts'
import { type Expression, NFT_REG_1 } from '../wire/index.ts'
import { immediate, type Statement } from './draft.ts'

/** TCPOPT_MAXSEG, and where its value is in it. */
const maxseg = { type: 2, offset: 2, length: 2 }

/**
 * Sets the largest segment that a TCP handshake announces: to a number or, with `'route'`, to what fits into the
 * route's MTU. For links with a smaller MTU than their neighbours know. `tcp option maxseg size set rt mtu`
 */
export function setMaxSegment(size: number | 'route'): Statement {
  take('set tcp option maxseg', size, ['MaxSegment', 'size'])
  const source = NFT_REG_1
  const store: Expression = { kind: 'exthdr', source, ...maxseg, operation: 'tcpopt' }
  if (size === 'route')
    return {
      text: 'tcp option maxseg size set rt mtu',
      write: rule =>
        rule.add(
          { kind: 'rt', key: 'tcpmss', destination: source },
          { kind: 'byteorder', source, destination: source, operation: 'hton', length: 2, size: 2 },
          store,
        ),
    }
  const { from: value } = types.inet_service.span(size)
  return {
    text: `tcp option maxseg size set ${size}`,
    write: rule => rule.add(immediate(source, { value }), store),
  }
}
