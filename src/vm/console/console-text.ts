/** What a line on the console shows about the boot. */
export type Sight = { readonly milestone: 'init' } | { readonly panic: string } | { readonly trap: string }

/** A line of the kernel: its time stamp, and the processor or thread that some kernels add. */
const fromKernel = /^\[ *\d+\.\d+\](?:\[[^\]]*\])? (.*)/

/**
 * Interprets a line that the guest printed. The kernel's messages count only with a time stamp: without one
 * the line may be from a log that a user prints.
 */
export function sightOf(line: string): Sight | undefined {
  if (line.startsWith('xcluster: init')) return { milestone: 'init' }
  const said = fromKernel.exec(line)?.[1]?.trim()
  if (said?.startsWith('Kernel panic - not syncing')) return { panic: said }
  return said && /^(Oops: )?int3: 0000 \[#1\]/.test(said) ? { trap: said } : undefined
}

const esc = '\u001b'
const bell = '\u0007'
/** Terminal control sequences (ECMA-48 §5.4), and those that set a window's title. */
const sequences = new RegExp(
  `${esc}(?:\\[[0-?]*[ -/]*[@-~]|\\][^${bell}${esc}]*(?:${bell}|${esc}\\\\)|[@-_])`,
  'g',
)

/** Characters. A line that a guest prints may be as long as the whole buffer. */
const longestLine = 1024

/** The last `count` lines that are not empty, as plain text. */
export function lastLines(bytes: Uint8Array, count: number): string {
  return new TextDecoder()
    .decode(bytes)
    .replace(sequences, '')
    .split('\n')
    .map(line => line.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '').trimEnd())
    .filter(Boolean)
    .slice(-count)
    .map(line => (line.length > longestLine ? `${line.slice(0, longestLine)}…` : line))
    .join('\n')
}

/** Cuts the guest's output into lines of bytes-as-latin1. A line longer than `limit` is cut there. */
export class ConsoleLines {
  readonly #limit: number
  #begun = ''

  constructor(limit = 1024) {
    this.#limit = limit
  }

  push(bytes: Uint8Array): string[] {
    const lines = (this.#begun + Buffer.from(bytes).toString('latin1')).split('\n')
    this.#begun = lines.pop()!.slice(0, this.#limit)
    return lines.map(line => line.slice(0, this.#limit).replace(/\r/g, ''))
  }
}
