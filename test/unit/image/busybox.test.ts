import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { appletNames } from '../../../src/image/rootfs/busybox.ts'

/** A program with a table of names after these bytes. */
function program(before: string, names: readonly string[]): Uint8Array {
  return Buffer.from(`\x7fELF${before}${names.map(name => `${name}\0`).join('')}\x01\x02\x03`, 'latin1')
}
const names = ['[', '[[', 'acpid', 'ash', 'busybox', 'telnetd', 'zcip']

describe('the commands of a busybox', () => {
  test('are those that it lists', () => {
    const listed = execFileSync('busybox', ['--list'], { encoding: 'utf8' }).trim().split('\n')
    expect(appletNames(readFileSync('/bin/busybox'))).toEqual(listed)
  })

  // The byte before the table in Debian's packages: 00 in 1.35.0-4+deb12u1, 20 in 1.37.0-6 (Debian 13) and
  // 1.38.0-3 (sid).
  test.each([
    ['a NUL, as in Debian 12', '\0'],
    ['a space, as in Debian 13', '\xae\x20'],
    ['a letter', 'x'],
  ])('are found after %s', (_, before) => {
    expect(appletNames(program(before, names))).toEqual(names)
  })

  test('are not confused with other text that begins alike', () => {
    const decoy = program('\0[\0[[\0]\0', [])
    expect(appletNames(Buffer.concat([decoy, program(' ', names), decoy]))).toEqual(names)
  })

  test('cannot be read from a file without the table', () => {
    expect(() => appletNames(Buffer.from('\x7fELF nothing of the kind'))).toThrow(
      'it has no table of commands',
    )
  })
})
