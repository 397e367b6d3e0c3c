import { describe, expect, test } from 'vitest'
import type { ArchiveEntry } from '../../../src/image/index.ts'
import { checkRoot } from '../../../src/overlay/root-check.ts'

/** The first bytes of an ELF file for a processor. */
function program(machine: number, { bits = 64, bigEndian = false } = {}): Uint8Array {
  const bytes = Buffer.alloc(64)
  bytes.write('\x7fELF', 'latin1')
  bytes[4] = bits === 64 ? 2 : 1
  bytes[5] = bigEndian ? 2 : 1
  if (bigEndian) bytes.writeUInt16BE(machine, 18)
  else bytes.writeUInt16LE(machine, 18)
  return bytes
}

const file = (path: string, content: Uint8Array): ArchiveEntry => ({
  path,
  kind: 'file',
  mode: 0o755,
  content,
})
const link = (path: string, target: string): ArchiveEntry => ({ path, kind: 'link', target })
const merged = [link('bin', 'usr/bin'), link('sbin', '/usr/sbin'), link('usr/bin/sh', 'dash')]

describe('a root for guests', () => {
  test('may have its shell and its init behind links, relative or absolute', () => {
    const shell = file('usr/bin/dash', program(62))
    expect(checkRoot([...merged, shell], 'r')).toEqual({ hasInit: false })
    const init = [
      link('usr/sbin/init', '../../lib/systemd/systemd'),
      file('lib/systemd/systemd', program(62)),
    ]
    expect(checkRoot([...merged, shell, ...init], 'r')).toEqual({ hasInit: true })
  })

  test('is refused without a shell, also when links go round in circles', () => {
    expect(() => checkRoot([...merged], 'r')).toThrow('use root r: it has no /bin/sh')
    expect(() => checkRoot([link('bin', 'a'), link('a', 'bin')], 'r')).toThrow('it has no /bin/sh')
    expect(() => checkRoot([file('manifest.json', Buffer.of())], 'r')).toThrow('docker export CONTAINER')
  })

  test.for([
    [program(183), 'arm64'],
    [program(3, { bits: 32 }), 'i386'],
    [program(22, { bigEndian: true }), 's390x'],
    [program(999), 'the processor 999'],
  ] as const)('is refused for another processor: %s', ([shell, name]) => {
    expect(() => checkRoot([file('bin/sh', shell)], 'r')).toThrow(
      `its /bin/sh is for ${name}, and guests are amd64`,
    )
  })
})
