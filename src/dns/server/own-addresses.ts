import { addressBytes, addressText, type Clock } from '../../base/index.ts'
import { interfaceAddresses, isShortage } from '../../sys/index.ts'

/** How long the addresses count that were read, in milliseconds: they come and go with cables and leases. */
const validMs = 1000

/** Tells whether an address is one of this machine's, in this process's network namespace. */
export function ownAddresses(clock: Clock): (address: string) => boolean {
  let known = new Set<string>()
  let readAt = Number.NEGATIVE_INFINITY
  return address => {
    const now = clock.now()
    if (now - readAt >= validMs) {
      known = machineAddresses() ?? known
      readAt = now
    }
    return known.has(withoutScope(address))
  }
}

/** Undefined while this process can open no more files: the server goes on with what it knew. */
function machineAddresses(): Set<string> | undefined {
  try {
    const all = Object.values(interfaceAddresses()).flatMap(each => each ?? [])
    return new Set(all.map(({ address }) => addressText(addressBytes(withoutScope(address)))))
  } catch (failure) {
    if (isShortage(failure)) return undefined
    throw failure
  }
}

const withoutScope = (address: string): string => address.split('%')[0]!
