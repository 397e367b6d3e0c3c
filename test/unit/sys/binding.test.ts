import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { artefact } from '../../../src/sys/artefacts.ts'
import { binding, loadBinding } from '../../../src/sys/binding.ts'

const directory = mkdtempSync(join(tmpdir(), 'xcluster-test-'))
afterAll(() => rmSync(directory, { recursive: true }))

test('the built addon has the expected version and every function that the code declares', () => {
  const header = readFileSync(new URL('../../../native/addon/addon.h', import.meta.url), 'utf8')
  expect(Number(header.match(/XCLUSTER_ABI (\d+)/)![1])).toBe(binding().abi)
  const source = readFileSync(new URL('../../../src/sys/binding.ts', import.meta.url), 'utf8')
  const declared = source.slice(source.indexOf('interface Binding')).matchAll(/^ {2}(\w+)\(.*\): .+$/gm)
  const names = Array.from(declared, ([, name]) => name)
  expect(names.length).toBeGreaterThan(10)
  expect(Object.keys(binding()).sort()).toEqual([...names, 'abi'].sort())
})

test('an addon of another version is refused with the command that builds it', () => {
  const built = artefact('xcluster.node')
  const version = binding().abi
  expect(() => loadBinding(built, version + 1)).toThrow(
    `interface version ${version}, and this code needs ${version + 1}. Run: npx xc setup.`,
  )
})

test('an addon that the dynamic loader refuses is reported in its words', () => {
  const broken = join(directory, 'broken.node')
  writeFileSync(broken, 'not an addon')
  expect(() => loadBinding(broken)).toThrow(
    /the native addon cannot be loaded on this machine: .*Run: npx xc setup\./,
  )
  expect(() => loadBinding(broken)).toThrow(
    expect.objectContaining({ code: 'ADDON_REFUSED', kind: 'prerequisite' }),
  )
})

test('an addon that needs a newer glibc is refused with both versions', () => {
  const bytes = readFileSync(artefact('xcluster.node')).toString('latin1')
  const needed = /GLIBC_2\.\d+(?:\.\d+)?/.exec(bytes)![0]
  const newer = `GLIBC_9${needed.slice('GLIBC_2'.length)}`
  const file = join(directory, 'newer.node')
  writeFileSync(file, bytes.replace(needed, newer), 'latin1')
  expect(() => loadBinding(file)).toThrow(
    expect.objectContaining({
      code: 'GLIBC_OLD',
      kind: 'prerequisite',
      reason: expect.stringMatching(
        new RegExp(`^the native addon needs glibc ${newer.slice(6)}, and this system has 2\\.\\d+$`),
      ),
      remedy: 'Run: npx xc setup --build, or use a newer system',
    }),
  )
})

test('the addon refuses arguments of the wrong type instead of crashing', () => {
  const call = (name: string, ...args: unknown[]) =>
    (binding() as unknown as Record<string, (...args: unknown[]) => unknown>)[name]!(...args)
  expect(() => call('socketIn')).toThrow('a number expected')
  expect(() => call('openIn', -1, 7, 0)).toThrow('text expected')
  expect(() => call('openIn', -1, 'x'.repeat(5000), 0)).toThrow('File name too long')
  expect(() => call('writeIn', -1, new Array(9).fill('/dev/null'), '')).toThrow('at most 8 paths')
  expect(() => call('writeIn', -1, ['x'.repeat(5000)], '')).toThrow('File name too long')
  expect(() => call('openTaps', -1, 'name', 0)).toThrow('an array of names expected')
  expect(() => call('openTaps', -1, ['x'.repeat(16)], 0)).toThrow('File name too long')
  expect(() => call('receive', 0, [1])).toThrow('a Uint8Array expected')
  expect(() => call('send', 0, Buffer.alloc(1), ['a'])).toThrow('a number expected')
  expect(() => call('send', 0, Buffer.alloc(1), new Array(254).fill(0))).toThrow(
    'a shorter array of numbers expected',
  )
  expect(() => call('pollClose', {}, () => {})).toThrow('a poll expected')
  expect(() => call('pollOpen', 9999, () => {})).toThrow('Bad file descriptor')
})
