import { constants } from 'node:os'
import { expect, test } from 'vitest'
import { errnoName, errnoText } from '../../../src/base/index.ts'

test('an errno of either sign has its name and its strerror text', () => {
  expect([errnoName(17), errnoName(-17), errnoText(-17)]).toEqual(['EEXIST', 'EEXIST', 'File exists'])
  expect([errnoName(9999), errnoText(9999)]).toEqual(['errno 9999', 'Unknown error 9999'])
})

test("errno names agree with Node's", () => {
  const known = Object.entries(constants.errno).filter(([, errno]) => !errnoName(errno).startsWith('errno '))
  expect(known.length).toBeGreaterThan(40)
  for (const [name, errno] of known) {
    const ours = errnoName(errno)
    expect(constants.errno[ours as keyof typeof constants.errno] ?? errno).toBe(errno)
    if (name !== ours) expect(['ENOTSUP', 'EWOULDBLOCK']).toContain(name)
  }
})
