import type { Mapped } from '../set/maps.ts'
import { take } from '../takes.ts'
import type { ObjectType } from '../wire/index.ts'
import type { Statement } from './draft.ts'

/**
 * Uses a named object: counts in a counter, matches by a quota or limit, assigns a helper. The name can come from
 * a map: `counter name tcp dport map { 80 : "web" }`.
 */
export function useObject(type: ObjectType, name: string | Mapped): Statement {
  take('use object', type, ['ObjectType', 'type'])
  take('use object', name, ['Mapped', 'name'])
  if (typeof name === 'string')
    return { text: `${type} name "${name}"`, write: rule => rule.add({ kind: 'objref', type, name }) }
  return { text: `${type} name ${name.text}`, write: rule => name.refer(rule, type) }
}
