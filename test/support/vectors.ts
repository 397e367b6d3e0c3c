import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Bytes that a real tool or kernel made, with their origin. */
export interface Vector {
  readonly command: string
  readonly tool: string
  readonly kernel: string
  /** One element per datagram. */
  readonly datagrams: readonly Uint8Array[]
}

/** Reads `test/vectors/<name>.hex`. */
export function readVector(name: string): Vector {
  const lines = readFileSync(join(import.meta.dirname, '..', 'vectors', `${name}.hex`), 'utf8')
  const header = (key: string) => {
    const value = lines.match(new RegExp(`^# ${key}: (.+)$`, 'm'))?.[1]
    if (value === undefined) throw new Error(`the vector ${name} does not say its ${key}`)
    return value
  }
  const paragraphs = lines
    .replace(/^#.*\n/gm, '')
    .split('\n\n')
    .map(hex => hex.replace(/\s/g, ''))
  return {
    command: header('command'),
    tool: header('tool'),
    kernel: header('kernel'),
    datagrams: paragraphs.filter(Boolean).map(hex => Uint8Array.from(Buffer.from(hex, 'hex'))),
  }
}
