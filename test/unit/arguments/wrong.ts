import { expect } from 'vitest'
import { XclusterError } from '../../../src/base/index.ts'

/** A public call with arguments that it takes, and which parts of them it cannot do without: `0.link`. */
export interface Call {
  readonly args: readonly unknown[]
  readonly needs?: readonly string[]
  /** Wrong values that it is not tried with: they would mean something else. */
  without?(value: unknown): boolean
  call(...args: never[]): unknown
}

/** What a caller without a compiler may give instead. */
const wrong: readonly unknown[] = [null, 7, -1.5, 2 ** 80, 'text', true, {}, [], [null], 1n, () => 1]

type Outcome = { readonly thrown: unknown } | undefined

async function outcomeOf({ call }: Call, args: readonly unknown[]): Promise<Outcome> {
  try {
    const result = await ended(call(...(args as never[])))
    await disposed(result)
    return undefined
  } catch (thrown) {
    return { thrown }
  }
}

/** A call that never ends is a fault, too. */
async function ended(result: unknown): Promise<unknown> {
  if (typeof (result as PromiseLike<unknown> | null | undefined)?.then !== 'function') return result
  const never = new Error('it never ends')
  let timer: NodeJS.Timeout | undefined
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(never), 3000)
  })
  return await Promise.race([result, late]).finally(() => clearTimeout(timer))
}

async function disposed(result: unknown): Promise<void> {
  const close = (result as Partial<AsyncDisposable> | null | undefined)?.[Symbol.asyncDispose]
  if (typeof close === 'function') await close.call(result)
}

/** The places in the arguments, to a depth of four: `0`, `0.table`, `0.table.name`. */
function placesOf(value: unknown, at: readonly string[] = []): (readonly string[])[] {
  if (typeof value !== 'object' || value === null || at.length > 4 || isForeign(value)) return [at]
  const inside = Object.entries(value).flatMap(([name, part]) => placesOf(part, [...at, name]))
  return at.length === 0 ? inside : [at, ...inside]
}

/** Bytes, sockets, signals: a whole. */
function isForeign(value: object): boolean {
  const prototype = Object.getPrototypeOf(value)
  return prototype !== Object.prototype && prototype !== Array.prototype && prototype !== null
}

/** The same value with another at this place of it. */
export function replaced(value: unknown, [name, ...rest]: readonly string[], by: unknown): unknown {
  if (name === undefined) return by
  const copy = (Array.isArray(value) ? [...value] : { ...(value as object) }) as Record<string, unknown>
  copy[name] = replaced(copy[name], rest, by)
  return copy
}

const isTyped = (thrown: unknown) => thrown instanceof XclusterError

/** Every call works as it is, refuses what it cannot do without, and never throws an error of our own code's making. */
export async function survivesWrongArguments(calls: Readonly<Record<string, Call>>): Promise<void> {
  const failures: string[] = []
  for (const [name, call] of Object.entries(calls)) {
    const right = await outcomeOf(call, call.args)
    if (right) failures.push(`${name} as it should be: ${text(right)}`)
    for (const need of call.needs ?? []) {
      const outcome = await outcomeOf(call, replaced(call.args, need.split('.'), undefined) as unknown[])
      if (!outcome || !isTyped(outcome.thrown)) failures.push(`${name} without ${need}: ${text(outcome)}`)
    }
    for (const place of placesOf(call.args))
      for (const value of [undefined, ...wrong]) {
        if (call.without?.(value)) continue
        const outcome = await outcomeOf(call, replaced(call.args, place, value) as unknown[])
        if (!outcome || isTyped(outcome.thrown)) continue
        failures.push(`${name} with ${place.join('.')} = ${shown(value)}: ${text(outcome)}`)
        break
      }
  }
  expect(failures).toEqual([])
}

const shown = (value: unknown) =>
  typeof value === 'bigint' ? `${value}n` : (JSON.stringify(value) ?? `${value}`)

function text(outcome: Outcome): string {
  if (!outcome) return 'taken'
  const { thrown } = outcome
  return thrown instanceof Error ? `${thrown.name}: ${thrown.message}`.slice(0, 160) : String(thrown)
}

/** The public names of a module that no call of the table has: functions, and methods of classes by `Class.method`. */
export function untold(module: object, calls: object, known: readonly string[] = []): string[] {
  const told = new Set([...Object.keys(calls).map(name => name.replace(/ .*/, '')), ...known])
  return Object.entries(module).flatMap(([name, value]) => {
    if (typeof value !== 'function' || told.has(name)) return []
    if (!/^class\b/.test(String(value))) return [name]
    const methods = Object.getOwnPropertyNames(value.prototype).filter(
      method =>
        method !== 'constructor' &&
        typeof Object.getOwnPropertyDescriptor(value.prototype, method)?.value === 'function',
    )
    return methods.map(method => `${name}.${method}`).filter(method => !told.has(method))
  })
}
