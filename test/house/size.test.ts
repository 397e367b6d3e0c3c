import { expect, test } from 'vitest'
import { readFiles, type SourceFile } from './project.ts'

// The linter limits functions to 40 lines and 3 parameters: biome.json.

const lines = ({ text }: SourceFile) => text.split('\n').length - 1
/** Without generated files: people read and change their generator instead (CONTRIBUTING.md). */
const source = readFiles(['src'], /^(?!.*\/generated\/).*\.ts$/)
const native = readFiles(['native'], /\.[ch]$/)

test('source files are small: the median is at most 90 lines, the 90th percentile at most 220', () => {
  const sizes = source.map(lines).sort((a, b) => a - b)
  const at = (share: number) => sizes[Math.floor((sizes.length - 1) * share)]!
  expect(at(0.5)).toBeLessThanOrEqual(90)
  expect(at(0.9)).toBeLessThanOrEqual(220)
})

test('no file has more than 400 lines, tests and scripts included', () => {
  const files = [...source, ...native, ...readFiles(['test', 'scripts', 'bench', 'guest'], /\.([tj]s|sh)$/)]
  expect(files.length).toBeGreaterThan(source.length)
  expect(files.filter(file => lines(file) > 400).map(({ path }) => path)).toEqual([])
})

test('the addon and the launcher have at most 1,500 lines together; what guests and QEMU run is counted apart', () => {
  const here = native.filter(({ path }) => !/^native\/(guest|qemu)\//.test(path))
  expect(here.length).toBeGreaterThan(0)
  expect(here.length).toBeLessThan(native.length)
  expect(here.reduce((sum, file) => sum + lines(file), 0)).toBeLessThanOrEqual(1500)
})

test('what QEMU loads ahead of its libraries has at most 500 lines: it runs where a guest may break out to', () => {
  const here = native.filter(({ path }) => path.startsWith('native/qemu/'))
  expect(here.length).toBeGreaterThan(0)
  expect(here.reduce((sum, file) => sum + lines(file), 0)).toBeLessThanOrEqual(500)
})
