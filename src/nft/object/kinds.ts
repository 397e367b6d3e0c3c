import { badValue } from '../errors.ts'
import { type Family, families, familyOf } from '../names.ts'
import { limitAttributes, type Rate, rateOf } from '../rule/stateful.ts'
import { types } from '../types.ts'
import type { ObjectData, ObjectType } from '../wire/index.ts'
import * as wire from '../wire/index.ts'
import type { HelperSpec, ObjectKind, SynproxyOptions } from './spec.ts'

type KindOf<T extends ObjectType> = Extract<ObjectKind, { type: T }>
type DataOf<T extends ObjectType> = NonNullable<ObjectData[T]>

/** How an object of each type is written, and read. */
interface Kind<T extends ObjectType> {
  write(spec: KindOf<T>, family: Family): DataOf<T>
  read(data: DataOf<T>): Omit<KindOf<T>, 'type'>
}

const trackedFamily = (family: HelperSpec['family'], table: Family): number =>
  families[family ?? (table === 'ip' || table === 'ip6' ? table : 'inet')]

const protocolNumber = (protocol: number | string): number =>
  types.inet_proto.span(protocol as 'tcp').from[0]!

function tracked({ family, protocol }: { family?: number | undefined; protocol?: number | undefined }) {
  const name = protocol === 6 ? 'tcp' : protocol === 17 ? 'udp' : (protocol ?? 0)
  return { protocol: name, ...(family !== undefined && { family: familyOf(family) as 'ip' }) } as const
}

/** nft's names for the states of connections, in the kernel's order (CTA_TIMEOUT_TCP_*, …_UDP_*). */
const states: Readonly<Record<number, readonly string[]>> = {
  6: [
    ...['syn_sent', 'syn_recv', 'established', 'fin_wait', 'close_wait', 'last_ack'],
    ...['time_wait', 'close', 'syn_sent2', 'retrans', 'unack'],
  ],
  17: ['unreplied', 'replied'],
}

const stateName = (protocol: number, index: number): string => states[protocol]?.[index] ?? `state${index}`

function timeoutsOf(policy: Readonly<Record<string, number>>, protocol: number): Record<number, number> {
  const entries = Object.entries(policy).map(([name, seconds]) => {
    const index = Array.from({ length: 16 }, (_, at) => at).find(at => stateName(protocol, at) === name)
    if (index !== undefined) return [index, seconds] as const
    throw badValue('ct timeout', `'${name}' is not one of ${(states[protocol] ?? ['state0 …']).join(', ')}`)
  })
  return Object.fromEntries(entries)
}

export function synproxyAttributes({ mss, windowScale, timestamp, sackPermitted }: SynproxyOptions) {
  const flags =
    (mss === undefined ? 0 : wire.NF_SYNPROXY_OPT_MSS) |
    (windowScale === undefined ? 0 : wire.NF_SYNPROXY_OPT_WSCALE) |
    (sackPermitted ? wire.NF_SYNPROXY_OPT_SACK_PERM : 0) |
    (timestamp ? wire.NF_SYNPROXY_OPT_TIMESTAMP : 0)
  return { mss: mss ?? 0, windowScale: windowScale ?? 0, flags }
}

function synproxyOf({ mss, windowScale, flags = 0 }: DataOf<'synproxy'>): SynproxyOptions {
  return {
    ...((flags & wire.NF_SYNPROXY_OPT_MSS) !== 0 && { mss: mss ?? 0 }),
    ...((flags & wire.NF_SYNPROXY_OPT_WSCALE) !== 0 && { windowScale: windowScale ?? 0 }),
    ...((flags & wire.NF_SYNPROXY_OPT_SACK_PERM) !== 0 && { sackPermitted: true }),
    ...((flags & wire.NF_SYNPROXY_OPT_TIMESTAMP) !== 0 && { timestamp: true }),
  }
}

const inverted = (flags = 0): { over?: true } => (flags & 1 ? { over: true } : {})

/** Each type of object: its words here, and its attributes. */
export const objectKinds: { readonly [T in ObjectType]: Kind<T> } = {
  counter: {
    write: ({ packets = 0n, bytes = 0n }) => ({ bytes, packets }),
    read: ({ packets = 0n, bytes = 0n }) => ({ packets, bytes }),
  },
  quota: {
    write: ({ bytes, over, used = 0n }) => ({
      bytes,
      consumed: used,
      flags: over ? wire.NFT_QUOTA_F_INV : 0,
    }),
    read: ({ bytes = 0n, flags, consumed = 0n }) => ({ bytes, used: consumed, ...inverted(flags) }),
  },
  limit: {
    write: (spec: Rate) => limitAttributes(spec),
    read: rateOf,
  },
  connlimit: {
    write: ({ count, over }) => ({ count, flags: over ? wire.NFT_CONNLIMIT_F_INV : 0 }),
    read: ({ count = 0, flags }) => ({ count, ...inverted(flags) }),
  },
  'ct helper': {
    write: ({ helper, protocol, family }, table) => ({
      helper,
      family: trackedFamily(family, table),
      protocol: protocolNumber(protocol),
    }),
    read: ({ helper = '', ...rest }) => ({ helper, ...tracked(rest) }),
  },
  'ct timeout': {
    write: ({ policy, protocol, family }, table) => ({
      family: trackedFamily(family, table),
      protocol: protocolNumber(protocol),
      timeouts: timeoutsOf(policy, protocolNumber(protocol)),
    }),
    read: ({ timeouts = {}, ...rest }) => ({
      ...tracked(rest),
      policy: Object.fromEntries(
        Object.entries(timeouts).map(([index, seconds]) => [
          stateName(rest.protocol ?? 0, Number(index)),
          seconds as number,
        ]),
      ),
    }),
  },
  'ct expectation': {
    write: ({ protocol, family, port, timeoutMs, size }, table) => ({
      family: trackedFamily(family, table),
      protocol: protocolNumber(protocol),
      port,
      timeout: timeoutMs,
      size,
    }),
    read: ({ port = 0, timeout = 0, size = 0, ...rest }) => ({
      ...tracked(rest),
      port,
      timeoutMs: timeout,
      size,
    }),
  },
  synproxy: { write: synproxyAttributes, read: synproxyOf },
  secmark: { write: ({ context }) => ({ context }), read: ({ context = '' }) => ({ context }) },
}
