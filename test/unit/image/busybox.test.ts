import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { appletNames } from '../../../src/image/rootfs/busybox.ts'

/** A program with a table of names behind these bytes. */
function program(before: string, names: readonly string[]): Uint8Array {
  return Buffer.from(`\x7fELF${before}${names.map(name => `${name}\0`).join('')}\x01\x02\x03`, 'latin1')
}
const names = ['[', '[[', 'acpid', 'ash', 'busybox', 'telnetd', 'zcip']

describe('the commands of a busybox', () => {
  test('are those that it lists itself', () => {
    const listed = execFileSync('busybox', ['--list'], { encoding: 'utf8' }).trim().split('\n')
    expect(appletNames(readFileSync('/bin/busybox'))).toEqual(listed)
  })

  // The byte before the table in Debian's packages: 1.35.0-4+deb12u1 has 00, 1.37.0-6 (13) and 1.38.0-3 (sid) have 20.
  test.each([
    ['a NUL, as in Debian 12', '\0'],
    ['a space, as in Debian 13', '\xae\x20'],
    ['a letter', 'x'],
  ])('are found behind %s', (_, before) => {
    expect(appletNames(program(before, names))).toEqual(names)
  })

  test('are not mistaken for other text that begins alike', () => {
    const decoy = program('\0[\0[[\0]\0', [])
    expect(appletNames(Buffer.concat([decoy, program(' ', names), decoy]))).toEqual(names)
  })

  test('cannot be read where there is no table', () => {
    expect(() => appletNames(Buffer.from('\x7fELF nothing of the kind'))).toThrow('no table of commands')
  })
})
