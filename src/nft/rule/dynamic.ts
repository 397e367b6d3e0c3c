import { statefulOf } from '../set/make.ts'
import { padded } from '../set/span.ts'
import { take } from '../takes.ts'
import { milliseconds } from '../values.ts'
import type { Expression, StatefulExpression } from '../wire/index.ts'
import { NFT_REG_1, NFT_SET_ANONYMOUS, NFT_SET_EVAL } from '../wire/index.ts'
import type { Draft, Statement } from './draft.ts'
import type { Field } from './fields.ts'
import { largeRegister, registerAt } from './registers.ts'

interface Keyed {
  readonly field: Field<unknown>
}

/** An element that packets add to a set, change or remove. */
export interface PacketElement {
  /** A set of the rule's table, made with `dynamic: true`. */
  readonly set: string
  /** Its key: `match.ip.saddr`, or several by `concat`. */
  readonly key: Keyed
  /** In a map: what the key maps to. */
  readonly value?: Keyed
  /** It is removed after this time. Default: the set's. */
  readonly timeoutMs?: number
  /** A `counter`, `limit` or `quota` of the element. The packet goes on in the rule as these decide. */
  readonly statements?: readonly Statement[]
}

/** Adds the element, if there is none: its timeout stays. `add @seen { ip saddr timeout 60s }` */
export const addToSet = (element: PacketElement) => dynamic('add', element)
/** Adds the element, or restarts its timeout. `update @seen { ip saddr timeout 60s }` */
export const updateSet = (element: PacketElement) => dynamic('update', element)
/** Removes the element. `delete @seen { ip saddr }` */
export const removeFromSet = (element: PacketElement) => dynamic('delete', element)

type Operation = 'add' | 'update' | 'delete'

function dynamic(operation: Operation, element: PacketElement): Statement {
  take(`${operation} element`, element, 'PacketElement')
  const { set, key, value, statements = [] } = element
  const to = value ? ` : ${value.field.name}` : ''
  return {
    text: `${operation} @${set} { ${[key.field.name + to, ...statements.map(({ text }) => text)].join(' ')} }`,
    write(rule) {
      const wanted = { type: key.field.type, ...(value && { data: value.field.type }) }
      rule.findSet(set, wanted, key.field.name)
      evaluate(rule, operation, { ...element, set: { set } })
    },
  }
}

interface Evaluated extends Omit<PacketElement, 'set'> {
  readonly set: { readonly set: string; readonly setId?: number }
}

function evaluate(rule: Draft, operation: Operation, { set, key, value, ...rest }: Evaluated): void {
  const { field } = key
  field.need?.(rule)
  value?.field.need?.(rule)
  field.load(rule, field.type.length, 0)
  // A single key takes a whole register of 16 bytes, as nft has it.
  const at = field.type.parts ? padded(field.type.length) : largeRegister
  value?.field.load(rule, value.field.type.length, at)
  const data = value && { data: registerAt(at) }
  rule.add(dynset(operation, { ...rest, place: { ...set, ...data } }))
}

interface Placed extends Pick<PacketElement, 'timeoutMs' | 'statements'> {
  readonly place: { readonly set: string; readonly setId?: number; readonly data?: number }
}

/** In the order of libnftnl. */
function dynset(operation: Operation, { place, timeoutMs, statements }: Placed): Expression {
  const [first, ...more] = statefulOf(statements)
  const { set, setId, data } = place
  return {
    kind: 'dynset',
    key: NFT_REG_1,
    ...(data !== undefined && { data }),
    operation,
    ...(timeoutMs !== undefined && { timeout: milliseconds('timeoutMs', timeoutMs) }),
    set,
    ...(setId !== undefined && { setId }),
    ...(first && each([first, ...more])),
  }
}

function each(expressions: readonly [StatefulExpression, ...StatefulExpression[]]) {
  return expressions.length === 1 ? { expression: expressions[0] } : { expressions: [...expressions] }
}

/** A limit or counter for each value of a field, in a set of the rule's own. */
export interface Meter {
  readonly name: string
  readonly key: Keyed
  readonly statement: Statement
  /** The most values. */
  readonly size?: number
  readonly timeoutMs?: number
}

/** `meter clients { ip saddr limit rate 10/second }` */
export function meter(spec: Meter): Statement {
  const { name, key, statement, size, timeoutMs } = take('build meter', spec, 'Meter')
  const { field } = key
  return {
    text: `meter ${name} { ${field.name} ${statement.text} }`,
    write(rule) {
      const flags = NFT_SET_ANONYMOUS | NFT_SET_EVAL
      const shape = { type: field.type, interval: false, elements: [], ...(size !== undefined && { size }) }
      const set = rule.addSet({ ...shape, name, flags, ...(timeoutMs !== undefined && { timeouts: true }) })
      const timeout = timeoutMs === undefined ? {} : { timeoutMs }
      evaluate(rule, timeoutMs === undefined ? 'add' : 'update', {
        set,
        key,
        statements: [statement],
        ...timeout,
      })
    },
  }
}
