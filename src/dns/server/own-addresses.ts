import { networkInterfaces } from 'node:os'
import { addressBytes, addressText, type Clock } from '../../base/index.ts'

/** How long the addresses count that were read, in milliseconds: they come and go with cables and leases. */
const validMs = 1000

/** Tells whether an address is one of this machine's, in this process's network namespace. */
export function ownAddresses(clock: Clock): (address: string) => boolean {
  let known = new Set<string>()
  let readAt = Number.NEGATIVE_INFINITY
  return address => {
    const now = clock.now()
    if (now - readAt >= validMs) {
      known = new Set(machineAddresses())
      readAt = now
    }
    return known.has(withoutScope(address))
  }
}

function machineAddresses(): string[] {
  const all = Object.values(networkInterfaces()).flatMap(each => each ?? [])
  return all.map(({ address }) => addressText(addressBytes(withoutScope(address))))
}

const withoutScope = (address: string): string => address.split('%')[0]!
