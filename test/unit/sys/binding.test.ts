import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { binding, launcherPath, loadBinding } from '../../../src/sys/binding.ts'

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

test('an addon that is missing, stale or broken is reported with the command that builds it', () => {
  const missing = join(directory, 'missing.node')
  expect(() => loadBinding(missing)).toThrow(
    `load ${missing}: the native addon has not been built. Run: npm run build.`,
  )

  const stale = join(directory, 'stale.cjs')
  writeFileSync(stale, 'module.exports = { abi: 0 }')
  expect(() => loadBinding(stale)).toThrow(
    /interface version 0, and this code needs \d+\. Run: npm run build\./,
  )

  const broken = join(directory, 'broken.node')
  writeFileSync(broken, 'not an addon')
  expect(() => loadBinding(broken)).toThrow(
    /the native addon cannot be loaded on this machine: .*Run: npm run build\./,
  )
  expect(() => loadBinding(broken)).toThrow(
    expect.objectContaining({ code: 'ADDON_STALE', kind: 'prerequisite' }),
  )

  expect(() => launcherPath(missing)).toThrow(
    `find ${missing}: the launcher has not been built. Run: npm run build.`,
  )
})

test('the addon refuses arguments of the wrong type instead of crashing', () => {
  const call = (name: string, ...args: unknown[]) =>
    (binding() as unknown as Record<string, (...args: unknown[]) => unknown>)[name]!(...args)
  expect(() => call('socketIn')).toThrow('a number expected')
  expect(() => call('openIn', -1, 7, 0)).toThrow('text expected')
  expect(() => call('openIn', -1, 'x'.repeat(5000), 0)).toThrow('File name too long')
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
