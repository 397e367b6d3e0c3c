import { expect, test } from 'vitest'
import {
  codeOf,
  errorFromJson,
  errorToJson,
  messageOf,
  reasonOf,
  Scope,
  XclusterError,
} from '../../../src/base/index.ts'

class OddError extends XclusterError {
  readonly errno = 17
}

const full = {
  code: 'LINK_EXISTS',
  kind: 'usage' as const,
  op: 'create bridge',
  target: 'xcbr0',
  reason: 'File exists',
  remedy: 'Stop the cluster that owns it',
}

test('the first of two failures crosses to another process, not that of the disposal after it', async () => {
  const work = async () => {
    await using scope = new Scope()
    scope.defer(() => {
      throw new Error('could not be taken back')
    })
    throw new XclusterError({ code: 'LINK_EXISTS', reason: 'File exists' })
  }
  const thrown = await work().catch(failure => failure)
  expect(thrown.name).toBe('SuppressedError')
  expect(errorToJson(thrown)).toMatchObject({ code: 'LINK_EXISTS', reason: 'File exists' })
  expect(messageOf(thrown)).toBe('File exists')
  expect([codeOf(thrown), reasonOf(thrown)]).toEqual(['LINK_EXISTS', 'File exists'])
})

test('an error keeps all its fields when it crosses to another process', () => {
  const json = JSON.parse(JSON.stringify(errorToJson(new OddError(full))))
  expect(json).toMatchObject({ ...full, details: { errno: 17 } })
  const back = errorFromJson(json)
  expect(back).toMatchObject({ ...full, details: { errno: 17 }, message: new OddError(full).message })
  expect(back?.remoteStack).toContain('error-json.test')
})

test('a thrown value that is not an XclusterError gets the code INTERNAL', () => {
  expect(errorToJson(new TypeError('x is not a function'))).toMatchObject({
    code: 'INTERNAL',
    kind: 'failed',
    reason: 'x is not a function',
  })
  expect(errorToJson('oops')).toMatchObject({ code: 'INTERNAL', message: 'oops' })
})

test('JSON that does not describe an error is refused, and an unknown kind counts as failed', () => {
  for (const value of [null, 1, 'x', {}, { code: 1, reason: 'x' }])
    expect(errorFromJson(value)).toBeUndefined()
  expect(errorFromJson({ code: 'A', kind: 'strange', reason: 'x' })?.kind).toBe('failed')
})
