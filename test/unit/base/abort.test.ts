import { getEventListeners } from 'node:events'
import { expect, test } from 'vitest'
import { defer, onAbort, unlessAborted } from '../../../src/base/index.ts'

const aborted = (cause: unknown) => new Error('aborted', { cause })

test('work that ends first gives its result or failure, and leaves no listener on the signal', async () => {
  const { signal } = new AbortController()
  expect(await unlessAborted(Promise.resolve(7), signal, aborted)).toBe(7)
  await expect(unlessAborted(Promise.reject(new Error('broken')), signal, aborted)).rejects.toThrow('broken')
  expect(await unlessAborted(Promise.resolve(8), undefined, aborted)).toBe(8)
  expect(getEventListeners(signal, 'abort')).toEqual([])
})

test('a signal that aborts first, or has aborted, gives its reason', async () => {
  const controller = new AbortController()
  const work = defer<number>()
  const waiting = unlessAborted(work.promise, controller.signal, aborted)
  controller.abort('enough')
  await expect(waiting).rejects.toMatchObject({ message: 'aborted', cause: 'enough' })
  await expect(unlessAborted(work.promise, controller.signal, aborted)).rejects.toThrow('aborted')
  work.resolve(1)
})

test('onAbort runs its task once, at once when the signal has aborted, and not after it was taken back', () => {
  const controller = new AbortController()
  const ran: string[] = []
  onAbort(controller.signal, () => ran.push('taken back'))()
  onAbort(controller.signal, () => ran.push('first'))
  controller.abort()
  onAbort(controller.signal, () => ran.push('late'))
  expect(ran).toEqual(['first', 'late'])
})
