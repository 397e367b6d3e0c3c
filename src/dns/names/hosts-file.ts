import { isAddress } from '../../base/index.ts'
import type { Host } from '../types.ts'
import { nameBytes } from '../wire/name.ts'

/** The contents of a file in the format of hosts(5). */
export interface HostsFile {
  readonly hosts: readonly Host[]
  /** Sentences about lines that could not be read: the first few, and how many more. */
  readonly badLines: readonly string[]
}

/** The most bad lines that are reported one by one. */
const mostReported = 5

/** Reads lines of `address name alias…`. Other lines are skipped and reported. */
export function parseHostsFile(text: string): HostsFile {
  const hosts: Host[] = []
  const badLines: string[] = []
  let bad = 0
  for (const [i, line] of text.split('\n').entries()) {
    const [address = '', ...names] = line.replace(/#.*/, '').trim().split(/\s+/)
    if (address === '') continue
    const reason = whyNot(address, names)
    if (reason === undefined) hosts.push(...names.map(name => ({ name, addresses: [address] })))
    else if (++bad <= mostReported) badLines.push(`line ${i + 1}: ${reason}`)
  }
  if (bad > mostReported) badLines.push(`and ${bad - mostReported} more lines`)
  return { hosts, badLines }
}

function whyNot(address: string, names: readonly string[]): string | undefined {
  if (!isAddress(address)) return `'${printable(address)}' is not an IP address`
  if (names.length === 0) return `${address} has no name`
  const wrong = names.find(name => nameBytes(name) === undefined || !/^[!-~]+$/.test(name))
  return wrong === undefined ? undefined : `'${printable(wrong)}' is not a valid name`
}

/** Text from a file is shown short, and without control characters that move a terminal's cursor. */
function printable(text: string): string {
  return text.slice(0, 60).replace(/[^ -~]/g, '?')
}
