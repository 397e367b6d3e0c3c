import { expect, test } from 'vitest'
import { fileName } from '../../../src/testing/artifacts.ts'

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
