import { expect, test } from 'vitest'
import { GuestKernel, observe } from '../../../src/guest/index.ts'
import { asked, askedGuest as guest, piece } from '../../support/asked-guest.ts'

const text = Buffer.from('0123456789')
const nothing = { sysctls: [], masquerades: [] }

test('a file of a guest comes in pieces, each question with its own answer', async () => {
  const { channel } = guest((number, question) => [
    piece(number, question.subarray(4, -1)),
    piece(number, text),
    asked(number),
  ])
  await using kernel = new GuestKernel(channel)
  expect(await Promise.all(['/a', '/b'].map(path => kernel.read(path)))).toEqual(
    ['/a', '/b'].map(path => `${path}${text}`),
  )
})

test('a guest that has no such file gives none', async () => {
  const { channel } = guest(number => [asked(number, 2)])
  await using kernel = new GuestKernel(channel)
  expect(await kernel.read('/a')).toBeUndefined()
})

test("the reason of a guest's kernel is in the error of a listing that it refuses", async () => {
  const { channel } = guest(number => [asked(number, 93)])
  await using kernel = new GuestKernel(channel)
  await expect(kernel.route().links.list()).rejects.toMatchObject({ code: 'NETLINK_CLOSED' })
  await expect(observe(kernel, nothing)).rejects.toThrow(/EPROTONOSUPPORT|errno 93/)
})

test('a guest that answers a listing with something else makes it fail', async () => {
  const { channel, isClosed } = guest(number => [piece(number, Buffer.alloc(40, 7)), asked(number)])
  await using kernel = new GuestKernel(channel)
  await expect(kernel.route().links.list()).rejects.toMatchObject({ code: 'NETLINK_CLOSED' })
  expect(isClosed()).toBe(false)
})

test('a guest whose answer is longer than answers are is refused, and what waits fails', async () => {
  const { channel, isClosed } = guest(number =>
    Array.from({ length: 40 }, () => piece(number, Buffer.alloc(32_000))),
  )
  await using kernel = new GuestKernel(channel)
  await expect(kernel.read('/a')).rejects.toMatchObject({ code: 'GUEST_SILENT' })
  expect(isClosed()).toBe(true)
  await expect(kernel.read('/b')).rejects.toMatchObject({ code: 'GUEST_SILENT' })
})

test('a guest that sends empty answers without end is refused', async () => {
  const { channel, isClosed } = guest(number =>
    Array.from({ length: 10_000 }, () => piece(number, new Uint8Array())),
  )
  await using kernel = new GuestKernel(channel)
  await expect(kernel.read('/a')).rejects.toMatchObject({ code: 'GUEST_SILENT' })
  expect(isClosed()).toBe(true)
})

test('closing the kernel of a guest that never answers ends all that waits for it', async () => {
  const { channel } = guest(() => [])
  const kernel = new GuestKernel(channel)
  const waiting = [kernel.read('/a'), kernel.route().links.list(), observe(kernel, nothing)]
  const ended = Promise.allSettled(waiting)
  await kernel.close()
  expect((await ended).map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected'])
})

test('the end of a VM ends what waits for the kernel of its guest', async () => {
  const { channel, end } = guest(() => [])
  await using kernel = new GuestKernel(channel)
  const waiting = Promise.allSettled([kernel.read('/a'), kernel.route().rules.list()])
  end()
  expect((await waiting).map(({ status }) => status)).toEqual(['rejected', 'rejected'])
})
