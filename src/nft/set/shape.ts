import { NftError } from '../errors.ts'
import type { ValueType } from '../values.ts'
import type { ObjectType } from '../wire/index.ts'

/** What a map leads to. */
export type MapData = ValueType<unknown> | 'verdict' | ObjectType

export const isObject = (data: MapData): data is ObjectType => typeof data === 'string' && data !== 'verdict'

/** What a set holds. */
export interface SetShape {
  readonly type: ValueType<unknown>
  readonly interval: boolean
  /** For a map: the type of its values. */
  readonly data?: MapData | undefined
}

/** The name of a set of one rule: the kernel numbers it. */
export function anonymousName({ data }: Pick<SetShape, 'data'>): string {
  if (data === undefined) return '__set%d'
  return isObject(data) ? '__objmap%d' : '__map%d'
}

/** What a rule looks up in a set, or what is added to it. */
interface Wanted {
  readonly type: ValueType<unknown>
  readonly data?: MapData | undefined
  readonly interval?: boolean
  /** `ip saddr` */
  readonly what: string
}

/**
 * Compares what a set holds with what it is used for, as nft does: the kernel compares lengths alone. Throws
 * NFT_SET_TYPE.
 */
export function checkSet(name: string, found: SetShape, wanted: Wanted): void {
  const wrong = (reason: string) =>
    new NftError({ code: 'NFT_SET_TYPE', kind: 'usage', op: 'use set', target: `@${name}`, reason })
  const { type, data, interval, what } = wanted
  if (!sameType(found.type, type)) throw wrong(`it holds ${found.type.name}, and ${what} is ${type.name}`)
  if (data !== undefined && found.data === undefined) throw wrong(`it is a set, and ${what} needs a map`)
  if (data !== undefined && !sameData(found.data as MapData, data))
    throw wrong(`it leads to ${dataText(found.data as MapData)}, and ${what} needs ${dataText(data)}`)
  if (interval !== undefined && interval !== found.interval)
    throw wrong(
      `it was made with \`interval: ${found.interval}\`, and is used with \`interval: ${interval}\``,
    )
}

const sameType = (a: ValueType<unknown>, b: ValueType<unknown>): boolean =>
  a.number === b.number && a.length === b.length

function sameData(a: MapData, b: MapData): boolean {
  return typeof a === 'string' || typeof b === 'string' ? a === b : sameType(a, b)
}

const dataText = (data: MapData): string => (typeof data === 'string' ? data : data.name)
