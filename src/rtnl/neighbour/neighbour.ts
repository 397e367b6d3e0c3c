import { addressBytes, addressText, macBytes, macText } from '../../base/index.ts'
import { NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE, request } from '../../netlink/index.ts'
import { given } from '../link/given.ts'
import type { LinkRef, Operation } from '../operation.ts'
import { take } from '../takes.ts'
import * as wire from '../wire/index.ts'
import { neighbourStates } from '../words.ts'

export type NeighbourState = keyof typeof neighbourStates

/** An IP address of a network, and its Ethernet address. */
export interface NeighbourSpec {
  readonly link: LinkRef
  readonly address: string
  /** Required except for proxies. */
  readonly mac?: string
  /** Default: `permanent`, which is never resolved again and stays. */
  readonly state?: NeighbourState
  /** Answer for this address (proxy ARP, proxy NDP) instead of resolving it. */
  readonly proxy?: boolean
  /** For IPv6: the neighbour is a router. */
  readonly router?: boolean
  /** Added by other software (a routing daemon): the kernel does not age it. */
  readonly external?: boolean
  /** The kernel keeps it resolved (Linux 5.16). */
  readonly managed?: boolean
  /** The kernel resolves it now, as if a packet were sent to it. `ip neighbour replace … use` */
  readonly use?: boolean
  /** The origin of the entry (RTPROT_*). */
  readonly protocol?: number
}

/** Seconds since it was last used, confirmed and changed, and how many users it has. */
export interface NeighbourAges {
  readonly used: number
  readonly confirmed: number
  readonly updated: number
  readonly references: number
}

/** An entry of the neighbour table. */
export interface Neighbour {
  /** Index of the interface; 0 for proxies on all interfaces. */
  readonly link: number
  /** Its name, if the listing was asked for names. */
  readonly linkName?: string
  readonly family: 4 | 6
  readonly address: string
  readonly mac?: string
  readonly state: NeighbourState
  readonly proxy: boolean
  readonly router: boolean
  /** Added by other software (a routing daemon). */
  readonly external: boolean
  readonly managed: boolean
  /** A switch's hardware has it. */
  readonly offloaded: boolean
  /** The origin of the entry (RTPROT_*). */
  readonly protocol?: number
  /** Requests sent without an answer. */
  readonly probes?: number
  readonly ages?: NeighbourAges
}

type Which = Pick<NeighbourSpec, 'link' | 'address' | 'proxy'>

const verbs = {
  add: NLM_F_CREATE | NLM_F_EXCL,
  change: NLM_F_REPLACE,
  replace: NLM_F_CREATE | NLM_F_REPLACE,
} as const

export function setNeighbour(spec: NeighbourSpec, verb: keyof typeof verbs): Operation {
  const about = { type: wire.RTM_NEWNEIGH, flags: verbs[verb], op: `${verb} neighbour` }
  return operation(spec, about)
}

export function removeNeighbour(which: Which): Operation {
  return operation(which, { type: wire.RTM_DELNEIGH, op: 'remove neighbour' })
}

function operation(spec: NeighbourSpec, about: { type: number; flags?: number; op: string }): Operation {
  take(about.op, spec, 'NeighbourSpec')
  const { link, address, state = 'permanent' } = spec
  const destination = addressBytes(address)
  const mac = spec.mac === undefined ? undefined : macBytes(spec.mac)
  const flags =
    (spec.proxy ? wire.NTF_PROXY : 0) |
    (spec.router ? wire.NTF_ROUTER : 0) |
    (spec.external ? wire.NTF_EXT_LEARNED : 0) |
    (spec.use ? wire.NTF_USE : 0)
  const extendedFlags = spec.managed ? wire.NTF_EXT_MANAGED : undefined
  return {
    refers: [link],
    requests(names) {
      const value: wire.NeighbourToWrite = {
        family: destination.length === 4 ? wire.AF_INET : wire.AF_INET6,
        index: names.indexOf(link),
        state: neighbourStates[state],
        flags,
        attributes: { destination, mac, protocol: spec.protocol, extendedFlags },
      }
      return [request(wire.neighbourMessage, value, { ...about, target: `${address} (${link})` })]
    },
  }
}

/** Converts the kernel's message; undefined for other families (AF_BRIDGE, DECnet). */
export function neighbourOf(message: wire.NeighbourMessage): Neighbour | undefined {
  const { family, index, state, flags, attributes } = message
  const { destination, mac, probes, protocol, cache, extendedFlags = 0 } = attributes
  if ((family !== wire.AF_INET && family !== wire.AF_INET6) || destination === undefined) return undefined
  const [word] = Object.entries(neighbourStates).find(([, bit]) => (state & bit) !== 0) ?? ['none']
  return {
    link: index,
    family: family === wire.AF_INET ? 4 : 6,
    address: addressText(destination),
    state: word as NeighbourState,
    proxy: (flags & wire.NTF_PROXY) !== 0,
    router: (flags & wire.NTF_ROUTER) !== 0,
    external: (flags & wire.NTF_EXT_LEARNED) !== 0,
    managed: (extendedFlags & wire.NTF_EXT_MANAGED) !== 0,
    offloaded: (flags & wire.NTF_OFFLOADED) !== 0,
    ...given({ mac: mac && macText(mac), probes, protocol, ages: cache && agesOf(cache) }),
  }
}

/** nda_cacheinfo counts in USER_HZ, hundredths of a second. */
export function agesOf(cache: NonNullable<wire.NeighbourMessage['attributes']['cache']>): NeighbourAges {
  const { references, used, confirmed, updated } = cache
  const seconds = (ticks: number) => Math.trunc(ticks / 100)
  return { used: seconds(used), confirmed: seconds(confirmed), updated: seconds(updated), references }
}
