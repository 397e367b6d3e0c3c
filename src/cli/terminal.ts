import type { Duplex } from 'node:stream'
import { Unasked } from './unasked.ts'

/** Ctrl-], as in telnet(1) and virsh(1). */
const leave = 0x1d
const interrupt = 0x03

/**
 * Connects this process's terminal to a console until Ctrl-] is typed or the console ends. Meanwhile the terminal is
 * in raw mode (Ctrl-C goes to the guest; it ends a viewer). Its mode is restored however this process ends, except by
 * SIGKILL.
 */
export async function talk(console: Duplex, { writes = true } = {}): Promise<'left' | 'ended'> {
  const { stdin, stdout } = process
  const unasked = stdout.isTTY && !stdin.isTTY ? new Unasked() : undefined
  const leaves = (byte: number) => byte === leave || (!writes && byte === interrupt)
  const listening = new AbortController()
  const restore = rawMode()
  try {
    return await new Promise((resolve, reject) => {
      hear(stdin, listening.signal, bytes => {
        const at = stdin.isTTY ? bytes.findIndex(leaves) : -1
        console.write(at < 0 ? bytes : bytes.subarray(0, at))
        if (at >= 0) resolve('left')
      })
      // The end of piped input is not the end of the output: the guest still answers, until the console ends.
      console.on('data', (bytes: Buffer) => {
        if (!stdout.write(unasked?.push(bytes) ?? bytes)) {
          console.pause()
          stdout.once('drain', () => console.resume())
        }
      })
      console.on('end', () => resolve('ended'))
      console.on('close', () => resolve('ended'))
      console.on('error', reject)
    })
  } finally {
    restore()
    listening.abort()
    stdin.pause()
    console.destroy()
  }
}

function hear(stdin: NodeJS.ReadStream, signal: AbortSignal, heard: (bytes: Buffer) => void): void {
  stdin.on('data', heard)
  stdin.resume() // it may have been paused by an earlier listener
  signal.addEventListener('abort', () => stdin.off('data', heard))
}

/** Puts the terminal, if there is one, into raw mode until this process ends or the returned function is called. */
export function rawMode(): () => void {
  const { stdin } = process
  if (!stdin.isTTY) return () => {}
  stdin.setRawMode(true)
  return untilEnd(() => void stdin.setRawMode(false))
}

/** Calls `restore` once: by the returned function, or however this process ends, except by SIGKILL. */
function untilEnd(restore: () => void): () => void {
  const ends = Object.entries({ SIGTERM: 15, SIGHUP: 1, SIGINT: 2, SIGQUIT: 3 } as const)
  const listeners = ends.map(([signal, number]) => [signal, () => process.exit(128 + number)] as const)
  process.on('exit', restore)
  for (const [signal, end] of listeners) process.on(signal, end)
  return () => {
    process.off('exit', restore)
    for (const [signal, end] of listeners) process.off(signal, end)
    restore()
  }
}

/** ECMA-48 and xterm's private modes: the other screen, no cursor, no line wrap; and back. */
const esc = '\u001b'
const enter = `${esc}[?1049h${esc}[?25l${esc}[?7l`
const back = `${esc}[?7h${esc}[?25h${esc}[?1049l`
const [home, restOfLine, restOfScreen] = [`${esc}[H`, `${esc}[K`, `${esc}[J`]

/** The whole terminal, as programs like top(1) use it. What was on it before comes back when this is left. */
export class Screen {
  readonly #keys: (key: string) => void
  #leave: (() => void) | undefined

  /** `keys` hears each key, or each sequence of a key such as `\x1b[A`. */
  constructor(keys: (key: string) => void) {
    this.#keys = keys
  }

  get size(): { readonly columns: number; readonly rows: number } {
    const { columns = 80, rows = 24 } = process.stdout
    return { columns, rows }
  }

  enter(): void {
    if (this.#leave) return
    const { stdin, stdout } = process
    const listening = new AbortController()
    const cooked = rawMode()
    stdout.write(enter)
    const restore = untilEnd(() => void stdout.write(back))
    hear(stdin, listening.signal, bytes => {
      for (const key of keysIn(bytes.toString('latin1'))) this.#keys(key)
    })
    this.#leave = () => {
      listening.abort()
      stdin.pause()
      restore()
      cooked()
    }
  }

  /** Lines that fit into {@link size}, with no control characters but SGR. */
  draw(lines: readonly string[]): void {
    if (!this.#leave) return
    process.stdout.write(`${home}${lines.map(line => `${line}${restOfLine}`).join('\r\n')}${restOfScreen}`)
  }

  leave(): void {
    this.#leave?.()
    this.#leave = undefined
  }
}

const keySequence = new RegExp(`${esc}(?:\\[[0-9;]*[A-Za-z~]|O[A-Za-z])|[\\s\\S]`, 'g')

/** Splits what a terminal sends into keys: a fast typist's letters and sequences such as `\x1b[A` come together. */
export function keysIn(text: string): string[] {
  return text.match(keySequence) ?? []
}
