import { Reader, struct, u16, u32, Writer } from '../base/index.ts'
import { CommandError } from './errors.ts'
import { hostLimits } from './frame.ts'

/** The size of a terminal, in characters. */
export interface TerminalSize {
  readonly rows: number
  readonly columns: number
}

/** A program to run in a guest. */
export interface CommandSpec {
  /** The program, found in the guest's PATH, and its arguments. */
  readonly words: readonly string[]
  /** Its whole environment. Absent: that of xcluster-guest. */
  readonly env?: Readonly<Record<string, string>>
  /** Gives it a terminal of that size: then its error output is part of its output. */
  readonly terminal?: TerminalSize & {
    /** The kind of terminal, `TERM` in its environment. Default: `linux`. */
    readonly term?: string
  }
}

const head = struct({
  flags: u32,
  output: u32,
  errors: u32,
  rows: u16,
  columns: u16,
  words: u16,
  variables: u16,
})
const [hasTerminal, onlyTheseVariables] = [1, 2]
/** What qemu-ga gives a program whose environment is given without it. */
const path = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** Encodes the request for a command, with the credit for its outputs. Throws EXEC_NOTHING and EXEC_WORD. */
export function opening(spec: CommandSpec, credit: { output: number; errors: number }): Uint8Array {
  const { words, env, terminal } = spec
  const variables = Object.entries({ ...(env && { PATH: path, ...env }), ...termOf(spec) }).map(
    ([name, value]) => `${name}=${value}`,
  )
  if (words.length === 0)
    throw refused('a command', { code: 'EXEC_NOTHING', reason: 'the list of arguments is empty' })
  for (const text of [...words, ...variables])
    if (text.includes('\0'))
      throw refused(words[0]!, {
        code: 'EXEC_WORD',
        reason: `${JSON.stringify(text)} has a NUL byte, which no argument can have`,
      })
  const out = new Writer(1024)
  if (words.length < 65536 && variables.length < 65536)
    head.write(out, {
      flags: (terminal ? hasTerminal : 0) | (env ? onlyTheseVariables : 0),
      ...credit,
      rows: terminal?.rows ?? 0,
      columns: terminal?.columns ?? 0,
      words: words.length,
      variables: variables.length,
    })
  for (const text of [...words, ...variables]) {
    out.text(text)
    out.u8(0)
  }
  if (out.length <= hostLimits.open! && words.length < 65536 && variables.length < 65536)
    return out.done().slice()
  const reason = `its arguments and environment have ${out.length} bytes, and the limit is ${hostLimits.open! >> 10} KiB`
  throw refused(words[0]!, { code: 'EXEC_WORD', reason, remedy: 'Pass long texts on standard input' })
}

function termOf({ terminal, env }: CommandSpec): Record<string, string> {
  return terminal && env?.TERM === undefined ? { TERM: terminal.term ?? 'linux' } : {}
}

/** Reads it again: the part of the guest in tests, and of an owner that passes it on. */
export function readOpening(
  payload: Uint8Array,
): CommandSpec & { readonly credit: { output: number; errors: number } } {
  const from = new Reader(payload)
  const { flags, output, errors, rows, columns, words, variables } = head.read(from)
  const texts = Buffer.from(from.take(from.left))
    .toString()
    .split('\0')
    .slice(0, words + variables)
  const env = Object.fromEntries(texts.slice(words).map(text => text.split(/=(.*)/s).slice(0, 2)))
  return {
    words: texts.slice(0, words),
    ...(flags & onlyTheseVariables && { env }),
    ...(flags & hasTerminal && { terminal: { rows, columns } }),
    credit: { output, errors },
  }
}

function refused(word: string, why: { code: string; reason: string; remedy?: string }): CommandError {
  return new CommandError({ kind: 'usage', op: 'run', target: word, ...why })
}
