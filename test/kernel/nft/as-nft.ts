import type { Chain, Element, NftObject, NftSet, Rule, Table } from '../../../src/nft/index.ts'

type Json = Record<string, unknown>

/** Leaves out what is undefined. */
const given = (object: Json): Json =>
  Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined))

const seconds = (ms: number | undefined) => (ms === undefined ? undefined : Math.floor(ms / 1000))

/** A listing as `nft -j -n list ruleset` has it, except the statements of rules. */
export function asNft(tables: readonly Table[]): Json[] {
  return tables.flatMap(table => {
    const where = { family: table.family, table: table.name }
    return [
      {
        table: given({
          family: table.family,
          name: table.name,
          handle: Number(table.handle),
          comment: table.comment,
        }),
      },
      ...table.objects.map(object => ({ [object.type]: { ...where, ...objectJson(object) } })),
      ...table.sets.filter(({ anonymous }) => !anonymous).map(set => setJson(set, where)),
      ...table.chains.filter(({ anonymous }) => !anonymous).map(chain => chainJson(chain, where)),
      ...table.chains.flatMap(({ rules }) => rules.map(rule => ruleJson(rule, where))),
    ]
  })
}

function chainJson(chain: Chain, where: Json): Json {
  const { name, handle, type, hook, priority, policy, comment } = chain
  return {
    chain: given({ ...where, name, handle: Number(handle), type, hook, prio: priority, policy, comment }),
  }
}

function ruleJson({ chain, handle, comment }: Rule, where: Json): Json {
  return { rule: given({ ...where, chain, handle: Number(handle), comment }) }
}

function objectJson(object: NftObject): Json {
  const { name, handle, comment } = object
  return given({ name, handle: Number(handle), comment, ...kindJson(object) })
}

function kindJson(object: NftObject): Json {
  switch (object.type) {
    case 'counter':
      return { packets: Number(object.packets), bytes: Number(object.bytes) }
    case 'quota':
      return { bytes: Number(object.bytes), used: Number(object.used), inv: object.over ?? false }
    case 'limit': {
      const unit = object.unit === 'bytes' ? { rate_unit: 'bytes', burst_unit: 'bytes' } : {}
      return given({ rate: object.rate, per: object.per, burst: object.burst, inv: object.over, ...unit })
    }
    case 'ct helper':
      return { type: object.helper, protocol: object.protocol, l3proto: object.family }
    case 'ct timeout':
      return { protocol: object.protocol, l3proto: object.family, policy: object.policy }
    case 'ct expectation': {
      const { protocol, family, port, timeoutMs, size } = object
      return { protocol, l3proto: family, dport: port, timeout: timeoutMs, size }
    }
    case 'synproxy': {
      const flags = [object.timestamp && 'timestamp', object.sackPermitted && 'sack-perm'].filter(Boolean)
      return { mss: object.mss, wscale: object.windowScale, flags }
    }
    default:
      throw new Error(`no JSON for ${object.type}`)
  }
}

function setJson(set: NftSet, where: Json): Json {
  const { name, handle, type, to, comment, policy, size, timeoutMs, gcIntervalMs, autoMerge, elements } = set
  const flags = [set.constant && 'constant', set.interval && 'interval', set.timeouts && 'timeout'].filter(
    Boolean,
  )
  const json = given({
    ...where,
    ...{ name, type, handle: Number(handle), comment, policy, size },
    map: Array.isArray(to) ? to.join(' . ') : to,
    flags: flags.length > 0 ? flags : undefined,
    timeout: seconds(timeoutMs),
    'gc-interval': seconds(gcIntervalMs),
    'auto-merge': autoMerge,
    stmt: set.expressions?.map(({ kind }) => ({ [kind]: null })),
    elem: elements.length > 0 ? sorted(elements.map(elementJson)) : undefined,
  })
  return { [to === undefined ? 'set' : 'map']: json }
}

export const sorted = (values: readonly unknown[]): unknown[] =>
  values.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))

function elementJson({ key, value, timeoutMs, expiresMs, comment, expressions }: Element): unknown {
  const states = expressions?.map(({ kind, ...state }) => [kind, numbers(state)]) ?? []
  const rest = given({
    timeout: seconds(timeoutMs),
    expires: expiresMs === undefined ? undefined : true,
    comment,
    ...Object.fromEntries(states),
  })
  const val = Object.keys(rest).length > 0 ? { elem: { val: keyJson(key), ...rest } } : keyJson(key)
  return value === undefined ? val : [val, valueJson(value)]
}

const numbers = (state: object): Json =>
  Object.fromEntries(Object.entries(state).map(([name, value]) => [name, Number(value)]))

function valueJson(value: NonNullable<Element['value']>): unknown {
  if (typeof value !== 'object' || !('code' in value)) return keyJson(value as Element['key'])
  return { [`${value.code}`]: value.chain === undefined ? null : { target: value.chain } }
}

function keyJson(key: Element['key']): unknown {
  if (Array.isArray(key)) return { concat: key.map(each => keyJson(each)) }
  if (typeof key === 'object' && 'from' in key) return { range: [key.from, key.to] }
  const [, addr, len] = /^([0-9a-f.:]+)\/(\d+)$/.exec(`${key}`) ?? []
  return addr === undefined ? key : { prefix: { addr, len: Number(len) } }
}
