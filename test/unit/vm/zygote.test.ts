import { constants } from 'node:os'
import { expect, test } from 'vitest'
import { Zygote } from '../../../src/vm/zygote/zygote.ts'
import { portPair } from '../../support/qmp-fake.ts'

/** A zygote whose process is this test, which sees its requests and answers as native/qemu/zygote.h says. */
function zygote() {
  const [port, process] = portPair()
  const requests: { numbers: number[]; fds: readonly number[] }[] = []
  const gone = { ended: false }
  process.receive({
    data: (bytes, fds = []) => {
      const integers = new Int32Array(bytes.slice().buffer)
      requests.push({ numbers: [integers[0]!, ...integers.slice(2, 2 + integers[1]!)], fds })
    },
    end: () => (gone.ended = true),
  })
  const answer = (...integers: [kind: number, pid: number, error: number, status: number]) =>
    process.send(new Uint8Array(new Int32Array(integers).buffer))
  return {
    zygote: new Zygote(port, { name: 'vm-001', greeting: () => undefined }),
    requests,
    process,
    answer,
    gone,
  }
}

const turn = () => new Promise(setImmediate)

test('it is sent descriptors with their places, and answers with the process', async () => {
  const at = zygote()
  const forking = at.zygote.fork(
    new Map([
      [3, 11],
      [9, 12],
    ]),
  )
  await turn()
  expect(at.requests).toEqual([{ numbers: [0, 3, 9], fds: [11, 12] }])
  at.answer(0, 4711, 0, 0)
  const { pid, exited, kill } = await forking
  expect(pid).toBe(4711)
  kill('SIGTERM')
  await turn()
  expect(at.requests[1]!.numbers).toEqual([1, 4711, constants.signals.SIGTERM])
  at.answer(2, 4711, 0, constants.signals.SIGTERM)
  expect(await exited).toEqual({ signal: 'SIGTERM' })
  kill('SIGKILL')
  await turn()
  expect(at.requests).toHaveLength(2)
})

test('a process that ends before its fork is looked at has ended', async () => {
  const at = zygote()
  const forking = at.zygote.fork(new Map())
  const whole = new Uint8Array(new Int32Array([0, 5, 0, 0, 2, 5, 0, 126 << 8]).buffer)
  at.process.send(whole.subarray(0, 13))
  at.process.send(whole.subarray(13))
  expect(await (await forking).exited).toEqual({ code: 126 })
})

test.each([
  [constants.errno.EBUSY, 'its threads did not stand still within 0.5 s'],
  [constants.errno.EAGAIN, 'resource temporarily unavailable'],
])('a fork that is refused with %i says why, and others can be tried', async (error, reason) => {
  const at = zygote()
  const forking = at.zygote.fork(new Map())
  at.answer(0, 0, error, 0)
  await expect(forking).rejects.toMatchObject({ code: 'FORK_FAILED', target: 'vm-001', reason })
  expect(at.zygote.isUsable).toBe(false)
  at.answer(3, 0, 0, 0)
  await turn()
  expect(at.zygote.isUsable).toBe(true)
})

test('its end is that of its processes, and of what is asked of it', async () => {
  const at = zygote()
  const first = at.zygote.fork(new Map())
  at.answer(0, 7, 0, 0)
  const { exited } = await first
  const second = at.zygote.fork(new Map())
  await at.process.close()
  await expect(second).rejects.toMatchObject({ code: 'FORK_FAILED', reason: 'it has ended' })
  expect(await exited).toEqual({ signal: 'SIGKILL' })
  expect(at.zygote).toMatchObject({ isUsable: false, lost: 'it has ended' })
  await expect(at.zygote.fork(new Map())).rejects.toMatchObject({ reason: 'it has ended' })
})

test('what it is to be given is limited', async () => {
  const places = new Map(Array.from({ length: 61 }, (_, index) => [index + 3, index + 3]))
  await expect(zygote().zygote.fork(places)).rejects.toMatchObject({
    reason: 'it has more than 60 descriptors to give',
  })
})

test('closing it lets its process go', async () => {
  const at = zygote()
  await at.zygote.close()
  await turn()
  expect(at.gone.ended).toBe(true)
  expect(at.zygote.isUsable).toBe(false)
})
