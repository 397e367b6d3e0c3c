import { expect, test } from 'vitest'
import { Scope } from '../../../src/base/index.ts'

test('a scope closes in reverse, continues after a failure, and closes only once', async () => {
  const closed: string[] = []
  const scope = new Scope()
  scope.defer(() => void closed.push('first'))
  scope.defer(() => {
    throw new Error('second did not close')
  })
  scope.defer(async () => void closed.push('third'))

  await expect(scope.close()).rejects.toThrow('second did not close')
  expect(closed).toEqual(['third', 'first'])
  await expect(scope.close()).rejects.toThrow('second did not close')
  expect(closed).toHaveLength(2)
  expect(() => scope.defer(() => {})).toThrow('closed')
})

test('a scope throws several failures as one AggregateError, whose message has all of them', async () => {
  const scope = new Scope()
  for (const name of ['a', 'b']) {
    scope.defer(() => {
      throw new Error(name)
    })
  }
  await expect(scope.close()).rejects.toMatchObject({
    errors: [{ message: 'b' }, { message: 'a' }],
    message: 'b; a',
  })
})

test('move() hands every resource to the new scope, and the old scope closes nothing', async () => {
  const closed: string[] = []
  const draft = new Scope()
  draft.defer(() => void closed.push('tap'))
  const kept = draft.move()
  await draft.close()
  expect(closed).toEqual([])
  await kept.close()
  expect(closed).toEqual(['tap'])
})
