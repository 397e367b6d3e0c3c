import { type Shape, shape, taker } from '../base/index.ts'

/** What the calls of this floor take, for callers without a compiler. */

const { text, number, flag, action } = shape
const texts = shape.list(text)
const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null
const method = (name: string) => (value: unknown) =>
  isObject(value) && typeof (value as Record<string, unknown>)[name] === 'function'
const clock = shape.of('a clock', method('after'))
const milliseconds = shape.of(
  'a number of milliseconds',
  value => typeof value === 'number' && !Number.isNaN(value),
)
const wait = { timeoutMs: milliseconds, signal: shape.of('an AbortSignal', method('addEventListener')) }
const count = shape.of('a number from 0', value => typeof value === 'number' && value >= 0)
/** As many as their index can have. */
const entries = shape.of(
  'a number from 0 to 16777216',
  value => count(value, '') === undefined && (value as number) <= 2 ** 24,
)

const fault = shape.record({ name: text, fault: text }, { type: text, askers: texts, delayMs: number })
const resolver = {
  ...{ resolvConf: text, hostsFile: text, upstreamCa: text, upstreams: texts },
  zones: shape.list(shape.record({ domain: text, upstreams: texts })),
  policy: text,
  ...{
    cacheEntries: entries,
    cacheBytes: count,
    cacheTtlMax: count,
    staleSeconds: count,
    maxUnderWay: count,
  },
  ...{
    mainNamespace: flag,
    hedgeMs: milliseconds,
    answerWithinMs: milliseconds,
    mixedCase: flag,
    rebindProtection: flag,
  },
  filter: shape.oneOf(['aaaa', 'a']),
  dns64: shape.record({}, { prefix: text, exclude: texts }),
  faults: shape.list(fault),
  ...{ notice: action, uptime: action, clock, dialer: shape.of('a dialer', method('udp')) },
}

const takes = {
  text,
  number,
  bytes: shape.bytes,
  fault,
  resolver: shape.options(resolver),
  existence: shape.record({}, resolver),
  server: shape.options({
    ...resolver,
    ...{ listen: texts, allow: texts, log: text, metrics: text, limits: shape.record({}), counting: flag },
    namespace: shape.of(
      'a NetNamespace',
      value => typeof (value as { fd?: unknown } | null)?.fd === 'number',
    ),
  }),
  lookup: shape.record({ name: text, server: text }, { type: text, tcp: flag, clock, ...wait }),
  queryFilter: shape.options({ name: text, type: text }),
  wait: shape.options(wait),
  place: shape.record({ address: text, port: number }),
  pool: shape.record({ threads: shape.count, notice: action, onDeath: action }),
  hosts: shape.record(
    { hosts: shape.list(shape.record({ name: text, addresses: texts })) },
    {
      records: shape.list(
        shape.record({ name: text, type: text, data: text }, { ttl: number, askers: texts }),
      ),
      ours: shape.of('a RegExp', value => value instanceof RegExp),
      ...{ nets: texts, domains: texts },
    },
  ),
} as const satisfies Readonly<Record<string, Shape>>

/** The argument, if it is what `wanted` names. Throws BAD_ARGUMENT. */
export const take = taker(takes)
