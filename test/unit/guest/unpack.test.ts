import { expect, test } from 'vitest'
import { unpackSteps } from '../../../src/guest/unpack.ts'
import type { ArchiveEntry } from '../../../src/image/index.ts'

const file = (path: string, length: number): ArchiveEntry => ({
  path,
  kind: 'file',
  mode: 0o644,
  content: Buffer.alloc(length, path),
})

test('missing parents are made before a file, each once', () => {
  const steps = [...unpackSteps([file('etc/init.d/a', 1), file('etc/init.d/b', 1)])]
  expect(steps.map(({ about }) => about)).toEqual([
    'unpack /etc',
    'unpack /etc/init.d',
    'unpack /etc/init.d/a',
    'unpack /etc/init.d/b',
  ])
})

test('a large file goes in pieces, and none of its bytes is lost', () => {
  const steps = [...unpackSteps([file('big', 1_000_000)])]
  const pieces = steps.map(step => {
    if (step.kind === 'put' && step.entry.kind === 'file') return step.entry.content
    return step.kind === 'append' ? Buffer.from(step.content) : Buffer.alloc(0)
  })
  expect(steps.map(({ kind }) => kind)).toEqual(['put', ...new Array(steps.length - 1).fill('append')])
  expect(Buffer.concat(pieces).equals(Buffer.alloc(1_000_000, 'big'))).toBe(true)
  expect(Math.max(...pieces.map(({ length }) => length))).toBeLessThan(250_000)
})
