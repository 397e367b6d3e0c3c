import { expect, test } from 'vitest'
import type { PortReceiver } from '../../../src/base/index.ts'
import { GuestChannel } from '../../../src/guest/channel.ts'
import { GuestKernel, observe } from '../../../src/guest/index.ts'
import { FrameSplitter, frame, hostLimits } from '../../../src/stream/frame.ts'
import { ManualClock } from '../../support/manual-clock.ts'

/** A guest that answers each question, by its number, with the frames that `says` returns. */
function guest(says: (number: number, asked: Buffer) => readonly Uint8Array[]) {
  let receiver: PortReceiver | undefined
  let closed = false
  const frames = new FrameSplitter(hostLimits)
  const port = {
    receive(to: PortReceiver) {
      receiver = to
    },
    send(bytes: Uint8Array) {
      for (const { stream, payload } of frames.push(bytes))
        for (const said of says(stream, Buffer.from(payload))) receiver!.data(said)
    },
    close: async () => {
      closed = true
    },
    [Symbol.asyncDispose]: async () => {},
  }
  const channel = new GuestChannel(port, {
    ...{ name: 'vm-001', consoleLog: '/log', clock: new ManualClock(), wallClock: () => 0 },
    randomBytes: count => new Uint8Array(count),
  })
  return { channel, end: () => receiver!.end(), isClosed: () => closed }
}

const piece = (number: number, bytes: Uint8Array) => frame('ask', number, { payload: bytes })
const asked = (number: number, errno = 0) => {
  const payload = Buffer.alloc(4)
  payload.writeInt32LE(errno)
  return frame('asked', number, { payload })
}
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
