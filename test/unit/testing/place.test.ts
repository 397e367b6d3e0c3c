import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'
import { fileName, placeOf } from '../../../src/testing/place.ts'
import { originOf } from '../../../src/testing/runner.ts'

test.each([
  ['they reach each other', 'they-reach-each-other'],
  ['../../etc/passwd', 'etc-passwd'],
  ['ürgent: 100 %', 'ürgent-100'],
  ['…', 'test'],
])('a test named %j has its artifacts in %s', (name, folder) => {
  expect(fileName(name)).toBe(folder)
})

test('a long name of a test is cut', () => {
  expect(fileName('x'.repeat(500))).toHaveLength(120)
})

const at = (file: string, fullName = 'it works', project = '') =>
  placeOf('/artifacts', { project, file: resolve(file), fullName })

test('tests with the same name in other files, suites and projects have places of their own', () => {
  const places = [
    at('test/one.test.ts'),
    at('test/two.test.ts'),
    at('test/one.test.ts', 'first > it works'),
    at('test/one.test.ts', 'it works', 'browser'),
    at('test/one.test.ts', 'it works', 'a/b'),
  ]
  expect(places.map(place => place.replace(/-[\da-f]{8}/, '-HASH'))).toEqual([
    '/artifacts/test/one.test.ts/it-works',
    '/artifacts/test/two.test.ts/it-works',
    '/artifacts/test/one.test.ts/first-it-works',
    '/artifacts/browser/test/one.test.ts/it-works',
    '/artifacts/a-b-HASH/test/one.test.ts/it-works',
  ])
})

test('a test that is repeated, or has the name of another one, has a place of its own each time', () => {
  const file = 'test/repeated.test.ts'
  expect([at(file), at(file), at(file, 'it: works'), at(file, 'it works 2')]).toEqual([
    `/artifacts/${file}/it-works`,
    `/artifacts/${file}/it-works-2`,
    `/artifacts/${file}/it-works-3`,
    `/artifacts/${file}/it-works-2-2`,
  ])
})

test('a place is below its root, wherever the file of the test is', () => {
  for (const file of [
    join(mkdtempSync(join(tmpdir(), 'xc-')), 'a b.ts'),
    '/',
    'test/a b.ts',
    '../other/x.ts',
    'x/..ts',
  ])
    expect(at(file)).toMatch(/^\/artifacts\/(test\/|x\/)?[\w-]+\/it-works$/)
  expect(at('../one/x.ts')).not.toBe(at('../two/x.ts'))
})

test('what a runner says of a test is taken, and its name otherwise', () => {
  const file = process.argv[1]
  expect(originOf({}, 'it works')).toEqual({ project: '', file, fullName: 'it works' })
  const node = { fullName: 'suite > it works', filePath: '/a.js' }
  expect(originOf(node, 'it works')).toEqual({ project: '', file: '/a.js', fullName: 'suite > it works' })
  const task = { fullTestName: 'suite > it works', file: { filepath: '/b.ts', projectName: 'one' } }
  expect(originOf({ task }, 'it works')).toEqual({
    ...{ project: 'one', file: '/b.ts' },
    fullName: task.fullTestName,
  })
})
