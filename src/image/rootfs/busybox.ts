import { DecodeError } from '../../base/index.ts'

/**
 * The commands of a busybox, read from its table of names: NUL-terminated and sorted, from `[` on
 * (busybox `include/applet_tables.h`). So the program need not be run.
 *
 * Any byte can precede the table: up to 1.36 Debian's compiler aligned it after a NUL, from 1.37 on it does
 * not. Where the bytes of its beginning occur more than once, the longest run of names is the table.
 */
export function appletNames(busybox: Uint8Array): string[] {
  const bytes = Buffer.from(busybox.buffer, busybox.byteOffset, busybox.length)
  let longest: string[] = []
  for (let at = bytes.indexOf(FIRST); at >= 0; at = bytes.indexOf(FIRST, at + 1)) {
    const names = sortedNames(bytes.toString('latin1', at, at + LIMIT))
    if (names.length > longest.length) longest = names
  }
  if (longest.length > 0) return longest
  throw new DecodeError('busybox', 0, 'it has no table of commands')
}

/** The first two names of every table: `[` and `[[`. */
const FIRST = Buffer.from('[\0[[\0', 'latin1')

/** The names of a busybox with all commands take 4 KB. */
const LIMIT = 16384

function sortedNames(text: string): string[] {
  const names: string[] = []
  for (const name of text.split('\0')) {
    if (!/^[\w[.-]{1,30}$/.test(name) || name <= (names.at(-1) ?? '')) break
    names.push(name)
  }
  return names
}
