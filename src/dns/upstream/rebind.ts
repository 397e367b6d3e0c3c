import { Type } from '../wire/constants.ts'
import type { Message } from '../wire/message.ts'
import { matcher, unmapped } from '../wire/prefixes.ts'

/** Networks that do not exist on the internet, or only locally (RFC 6890). */
const privateNets = [
  ...['0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12'],
  ...['192.168.0.0/16', '::/127', 'fc00::/7', 'fe80::/10'],
].map(matcher)

/** True when an answer has a private address: a web page could use it to reach into a network. */
export function namesPrivateAddress({ records, bytes }: Message): boolean {
  return records.some(({ type, section, dataAt, end }) => {
    if (section === 'authority' || (type !== Type.A && type !== Type.AAAA)) return false
    const data = unmapped(bytes.subarray(dataAt, end))
    return privateNets.some(matches => matches(data))
  })
}
