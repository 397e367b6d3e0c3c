import type { Parameter } from '../api/index.ts'
import { CliError } from './errors.ts'

interface Typed {
  /** What stands on the command line: several words for an argument that takes all that are left. */
  readonly text: string | readonly string[] | undefined
  readonly parameter: Pick<Parameter, 'kind'>
}

/** The value of a parameter that was typed. Throws BAD_USAGE, which names the option or argument. */
export function typedValue(option: string, { text, parameter }: Typed): unknown {
  if (text === undefined || text.length === 0) return text === '' ? wrong(option, text, 'text') : undefined
  const words = typeof text === 'string' ? [text] : text
  const line = words.join(' ')
  switch (parameter.kind) {
    case 'nodes':
    case 'newNodes':
      return typeof text === 'string' ? text.split(',') : text
    case 'count':
      return /^\d{1,15}$/.test(line) ? Number(line) : wrong(option, line, 'a whole number')
    case 'milliseconds':
      return /^[1-9]\d{0,8}$/.test(line)
        ? Number(line)
        : wrong(option, line, 'a whole number of milliseconds')
    case 'share':
      return /^(0?\.\d+|0|1(\.0*)?)$/.test(line) ? Number(line) : wrong(option, line, 'a number up to 1')
    default:
      return line
  }
}

function wrong(target: string, text: string, expected: string): never {
  const reason = `'${text}' is not ${expected}`
  throw new CliError({ code: 'BAD_USAGE', kind: 'usage', target, reason })
}
