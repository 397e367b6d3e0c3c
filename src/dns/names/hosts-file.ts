import { isAddress } from '../../base/index.ts'
import type { Host } from '../types.ts'
import { nameBytes } from '../wire/name.ts'

/** What a file in the form of hosts(5) says. */
export interface HostsFile {
  readonly hosts: readonly Host[]
  /** Lines that could not be read, as sentences: the first few, and how many more. */
  readonly nonsense: readonly string[]
}

/** So many bad lines are told one by one. */
const told = 5

/** Reads `address name alias…` lines. A line that is none is passed over and told. */
export function parseHostsFile(text: string): HostsFile {
  const hosts: Host[] = []
  const nonsense: string[] = []
  let bad = 0
  for (const [i, line] of text.split('\n').entries()) {
    const [address = '', ...names] = line.replace(/#.*/, '').trim().split(/\s+/)
    if (address === '') continue
    const reason = whyNot(address, names)
    if (reason === undefined) hosts.push(...names.map(name => ({ name, addresses: [address] })))
    else if (++bad <= told) nonsense.push(`line ${i + 1}: ${reason}`)
  }
  if (bad > told) nonsense.push(`and ${bad - told} more lines`)
  return { hosts, nonsense }
}

function whyNot(address: string, names: readonly string[]): string | undefined {
  if (!isAddress(address)) return `'${printable(address)}' is no address`
  if (names.length === 0) return `${address} has no name`
  const wrong = names.find(name => nameBytes(name) === undefined || !/^[!-~]+$/.test(name))
  return wrong === undefined ? undefined : `'${printable(wrong)}' is no name`
}

/** What somebody else wrote is shown short, and without what moves a terminal's cursor. */
function printable(text: string): string {
  return text.slice(0, 60).replace(/[^ -~]/g, '?')
}
