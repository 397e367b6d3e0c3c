import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { binding, launcherPath, loadBinding } from '../../../src/sys/binding.ts'

const directory = mkdtempSync(join(tmpdir(), 'xcluster-test-'))
afterAll(() => rmSync(directory, { recursive: true }))

test('the addon here is the one that the code was written for, and has all it names', () => {
  const header = readFileSync(new URL('../../../native/addon/addon.h', import.meta.url), 'utf8')
  expect(Number(header.match(/XCLUSTER_ABI (\d+)/)![1])).toBe(binding().abi)
  const source = readFileSync(new URL('../../../src/sys/binding.ts', import.meta.url), 'utf8')
  const declared = source.slice(source.indexOf('interface Binding')).matchAll(/^ {2}(\w+)\(.*\): .+$/gm)
  const names = Array.from(declared, ([, name]) => name)
  expect(names.length).toBeGreaterThan(10)
  expect(Object.keys(binding()).sort()).toEqual([...names, 'abi'].sort())
})

test('missing, stale and broken builds say what to run', () => {
  const missing = join(directory, 'missing.node')
  expect(() => loadBinding(missing)).toThrow(`load ${missing}: the addon is not built. Run: npm run build.`)

  const stale = join(directory, 'stale.cjs')
  writeFileSync(stale, 'module.exports = { abi: 0 }')
  expect(() => loadBinding(stale)).toThrow(
    /another version \(0, this code needs \d+\)\. Run: npm run build\./,
  )

  const broken = join(directory, 'broken.node')
  writeFileSync(broken, 'not an addon')
  expect(() => loadBinding(broken)).toThrow(/the addon does not load here: .*Run: npm run build\./)
  expect(() => loadBinding(broken)).toThrow(
    expect.objectContaining({ code: 'ADDON_STALE', kind: 'prerequisite' }),
  )

  expect(() => launcherPath(missing)).toThrow(
    `find ${missing}: the launcher is not built. Run: npm run build.`,
  )
})

test('wrong arguments are refused, not crashed on', () => {
  const call = (name: string, ...args: unknown[]) =>
    (binding() as unknown as Record<string, (...args: unknown[]) => unknown>)[name]!(...args)
  expect(() => call('socketIn')).toThrow('a number expected')
  expect(() => call('openIn', -1, 7, 0)).toThrow('text expected')
  expect(() => call('openIn', -1, 'x'.repeat(5000), 0)).toThrow('File name too long')
  expect(() => call('openTaps', -1, 'name', 0)).toThrow('an array of names expected')
  expect(() => call('openTaps', -1, ['x'.repeat(16)], 0)).toThrow('File name too long')
  expect(() => call('receive', 0, [1])).toThrow('a Uint8Array expected')
  expect(() => call('send', 0, Buffer.alloc(1), ['a'])).toThrow('a number expected')
  expect(() => call('send', 0, Buffer.alloc(1), new Array(254).fill(0))).toThrow('not too many numbers')
  expect(() => call('pollClose', {}, () => {})).toThrow('a poll expected')
  expect(() => call('pollOpen', 9999, () => {})).toThrow('Bad file descriptor')
})
