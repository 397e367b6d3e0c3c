import { DecodeError } from '../base/index.ts'

/**
 * The commands a busybox has, read from its table of names: NUL-terminated and sorted, from `[` on
 * (busybox `include/applet_tables.h`). So nothing has to be run to know what it can do.
 */
export function appletNames(busybox: Uint8Array): string[] {
  const bytes = Buffer.from(busybox.buffer, busybox.byteOffset, busybox.length)
  const at = bytes.indexOf('\0[\0[[\0', 0, 'latin1')
  if (at < 0) throw new DecodeError('busybox', 0, 'no table of commands')
  const names: string[] = []
  for (const name of bytes.toString('latin1', at + 1, at + 1 + LIMIT).split('\0')) {
    if (!/^[\w[.-]{1,30}$/.test(name) || name <= (names.at(-1) ?? '')) break
    names.push(name)
  }
  return names
}

/** A busybox with everything in it has 4 KB of names. */
const LIMIT = 16384
