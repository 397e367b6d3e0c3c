import type { Mapped } from '../set/maps.ts'
import { take } from '../takes.ts'
import { types } from '../types.ts'
import type { ValueType } from '../values.ts'
import { type Expression, NFT_REG_1 } from '../wire/index.ts'
import type { directions } from '../words.ts'
import { type Draft, immediate, type Statement } from './draft.ts'
import { type Field, loadField } from './fields.ts'

/** A number, the number in a field such as `match.jhash(…)`, or one from a map. */
export type Assigned = number | { readonly field: Field<number> } | Mapped<number>

function textOf(value: Assigned): string {
  if (typeof value === 'number') return `${value}`
  return 'field' in value ? value.field.name : value.text
}

/** Loads the value into register 1. */
function loadAssigned(rule: Draft, value: Assigned, type: ValueType<number>): void {
  if (typeof value === 'number') rule.add(immediate(NFT_REG_1, { value: type.span(value).from }))
  else if ('field' in value) loadField(rule, value.field)
  else value.load(rule, type)
}

interface Target {
  readonly text: string
  readonly type: ValueType<number>
  readonly store: Expression
}

function assign({ text, type, store }: Target, value: Assigned): Statement {
  take(`set ${text}`, value, ['Assigned', 'value'])
  return {
    text: `${text} set ${textOf(value)}`,
    write(rule) {
      loadAssigned(rule, value, type)
      rule.add(store)
    },
  }
}

const inMeta = (key: 'mark' | 'priority' | 'nftrace', type: ValueType<number>): Target => ({
  text: `meta ${key}`,
  type,
  store: { kind: 'meta', key, source: NFT_REG_1 },
})

/** Sets the packet's mark. `meta mark set 7` */
export const setMark = (mark: Assigned) => assign(inMeta('mark', types.mark), mark)
/** Sets the packet's priority for traffic control: `0x10002` is the class 1:2. `meta priority set 1:2` */
export const setPriority = (priority: Assigned) => assign(inMeta('priority', types.integer), priority)
/** Lets {@link tracePackets} show the packet's way through the rules. `meta nftrace set 1` */
export const trace = (on = true) => assign(inMeta('nftrace', types.byte), on ? 1 : 0)

/** Sets the connection's mark. `ct mark set 7` */
export const setCtMark = (mark: Assigned) =>
  assign({ text: 'ct mark', type: types.mark, store: { kind: 'ct', key: 'mark', source: NFT_REG_1 } }, mark)

/** Puts the connection into a zone of its own, or one direction of it. `ct zone set 5` */
export function setCtZone(zone: Assigned, direction?: (typeof directions)[number]): Statement {
  take('set ct zone', direction, ['Direction', 'direction'])
  const way = direction === undefined ? {} : { direction: direction === 'original' ? 0 : 1 }
  const text = direction === undefined ? 'ct zone' : `ct ${direction} zone`
  const store: Expression = { kind: 'ct', key: 'zone', ...way, source: NFT_REG_1 }
  return assign({ text, type: types.zone, store }, zone)
}

/** Copies the packet's mark to its connection. `ct mark set meta mark` */
export function saveMark(): Statement {
  const load: Expression = { kind: 'meta', key: 'mark', destination: NFT_REG_1 }
  const store: Expression = { kind: 'ct', key: 'mark', source: NFT_REG_1 }
  return { text: 'ct mark set meta mark', write: rule => rule.add(load, store) }
}

/** Copies the connection's mark to the packet. `meta mark set ct mark` */
export function restoreMark(): Statement {
  const load: Expression = { kind: 'ct', key: 'mark', destination: NFT_REG_1 }
  const store: Expression = { kind: 'meta', key: 'mark', source: NFT_REG_1 }
  return { text: 'meta mark set ct mark', write: rule => rule.add(load, store) }
}
