import { type Shape, shape } from '../shape.ts'
import { XclusterError } from './errors.ts'

/** An argument that a call cannot take: absent, or of another type. The compiler finds it, too; plain JavaScript has this. */
export class ArgumentError extends XclusterError {
  constructor(op: string, reason: string) {
    super({ code: 'BAD_ARGUMENT', kind: 'usage', op, reason, remedy: 'Correct the call' })
  }
}

/**
 * Returns the value if it has the shape that `op` needs. Throws BAD_ARGUMENT: `add address: prefix is absent, not a
 * number`.
 */
export function taken<T>(op: string, value: T, wanted: Shape): T {
  const wrong = wanted(value, '')
  if (wrong === undefined) return value
  throw new ArgumentError(op, wrong.startsWith(' ') ? `the argument${wrong}` : wrong)
}

/**
 * Returns options whose parts that end in `Ms` are times: 0 or more, Infinity for without end. Throws BAD_ARGUMENT:
 * `verify: withinMs is NaN, not a time in milliseconds`. A timer would take NaN for 1 ms.
 */
export function withTimes<T extends object>(op: string, options: T): T {
  for (const [name, value] of Object.entries(options))
    if (name.endsWith('Ms') && value !== undefined && !(typeof value === 'number' && value >= 0))
      throw new ArgumentError(op, `${name} is ${String(value)}, not a time in milliseconds`)
  return options
}

/**
 * The shapes that a floor's calls take, by name: checks an argument by one of them. Those that are not objects
 * are given with what they are called.
 */
export function taker<const Shapes extends Readonly<Record<string, Shape>>>(shapes: Shapes) {
  type Name = keyof Shapes & string
  return <T>(op: string, value: T, wanted: Name | readonly [shape: Name, called: string]): T => {
    if (typeof wanted === 'string') return taken(op, value, shapes[wanted] as Shape)
    return taken(op, value, shape.called(wanted[1], shapes[wanted[0]] as Shape))
  }
}
