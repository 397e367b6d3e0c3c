import { expect, test } from 'vitest'
import { systemClock } from '../../../src/base/index.ts'
import { spawnCommand } from '../../../src/stream/command.ts'
import {
  type Frame,
  FrameSplitter,
  frame,
  frameBytes,
  hostLimits,
  longestData,
} from '../../../src/stream/frame.ts'
import { outputWindow } from '../../../src/stream/output.ts'
import { exitPayload, numberOf, numberPayload, opened, payloadOf } from '../../../src/stream/payloads.ts'
import { CommandStreams, mostCommands } from '../../../src/stream/streams.ts'
import { waitFor } from '../../support/wait.ts'

const window = 100_000
const quiet = { opened() {}, data() {}, ended() {}, credit() {}, exited() {}, lost() {} }

/** The streams of a guest that says what the test wants. */
function host() {
  const splitter = new FrameSplitter(hostLimits)
  const sent: Frame[] = []
  const streams = new CommandStreams({
    name: 'vm-001',
    send: each => {
      for (const again of splitter.push(frameBytes(each)))
        sent.push({ ...again, payload: Uint8Array.from(again.payload) })
    },
  })
  const say = (bytes: Uint8Array) =>
    [...new FrameSplitter({ ...hostLimits, exited: 600 }).push(bytes)].map(each => streams.take(each))
  const answer = (stream = 1, error = 0) =>
    say(frame('open', stream, { payload: payloadOf(opened, { error, pid: 9, window }) }))
  const start = async () => {
    const starting = spawnCommand(streams, { words: ['x'] }, { clock: systemClock })
    answer()
    return await starting
  }
  const sentOf = (kind: Frame['kind']) => sent.filter(each => each.kind === kind)
  return { streams, sent, say, answer, start, sentOf }
}

const output = (length: number, which: 1 | 2 = 1) =>
  frame('data', 1, { which, payload: Buffer.alloc(length) })

test('a writer waits for the credit of the guest, and goes on with it', async () => {
  const { start, say, sentOf } = host()
  const command = await start()
  let isDone = false
  command.stdin.write(Buffer.alloc(window + 1000), () => {
    isDone = true
  })
  const bytes = () => sentOf('data').reduce((sum, { payload }) => sum + payload.length, 0)
  expect(bytes()).toBe(window)
  expect(Math.max(...sentOf('data').map(({ payload }) => payload.length))).toBe(longestData)
  expect(isDone).toBe(false)
  say(frame('credit', 1, { payload: numberPayload(400) }))
  expect(await waitFor(() => bytes() === window + 400)).toBe(true)
  say(frame('credit', 1, { payload: numberPayload(5000) }))
  expect(await waitFor(() => isDone)).toBe(true)
  expect(bytes()).toBe(window + 1000)
})

test('a guest gets credit for output when it is read, and none before', async () => {
  const { start, say, sentOf } = host()
  const command = await start()
  for (let sent = 0; sent < outputWindow; sent += 16384) say(output(16384))
  await new Promise(resolve => setImmediate(resolve))
  expect(sentOf('credit')).toEqual([])
  command.stdout.resume()
  const granted = () => sentOf('credit').reduce((sum, { payload }) => sum + numberOf(payload), 0)
  expect(await waitFor(() => granted() === outputWindow)).toBe(true)
})

test.for<[string, (guest: ReturnType<typeof host>) => unknown, RegExp]>([
  [
    'sends more output than it has credit for',
    ({ say }) => Array.from({ length: 20 }, () => say(output(longestData))),
    /more output/,
  ],
  [
    'sends output to the input',
    ({ say }) => say(frame('data', 1, { which: 0, payload: Buffer.alloc(1) })),
    /more output/,
  ],
  [
    'sends output after its end',
    ({ say }) => [say(frame('end', 1, { which: 1 })), say(output(1))],
    /more output/,
  ],
  [
    'takes more input than there was',
    ({ say }) => say(frame('credit', 1, { payload: numberPayload(1) })),
    /more input/,
  ],
  ['starts a command twice', ({ answer }) => answer(), /twice/],
  [
    'sends a credit of three bytes',
    ({ say }) => say(frame('credit', 1, { payload: Buffer.alloc(3) })),
    /decode/,
  ],
])('a guest that %s breaks the rules', async ([, does, words]) => {
  const guest = host()
  await guest.start()
  expect(() => does(guest)).toThrow(words)
})

test('output of a command that has not started breaks the rules, and so does an endless window', () => {
  const { streams, say } = host()
  streams.open(Buffer.alloc(0), quiet, [10, 10])
  expect(() => say(output(1))).toThrow(/not started/)
  const endless = payloadOf(opened, { error: 0, pid: 1, window: 0xffffffff })
  expect(() => say(frame('open', 1, { payload: endless }))).toThrow(/4294967295 bytes of input/)
})

test('what comes for unknown commands, second ends and empty data are not asked for', async () => {
  const { start, say } = host()
  await start()
  expect(say(frame('exited', 77, { payload: exitPayload(0) }))).toEqual([false])
  expect(say(output(0))).toEqual([false])
  expect(say(frame('end', 1, { which: 2 }))).toEqual([true])
  expect(say(frame('end', 1, { which: 2 }))).toEqual([false])
})

test('a command that was given up counts until the guest has confirmed that', async () => {
  const { start, streams, say, sentOf } = host()
  const command = await start()
  await command[Symbol.asyncDispose]()
  expect(sentOf('signal').map(({ payload }) => numberOf(payload))).toEqual([9])
  expect(streams.count).toBe(1)
  expect(say(output(1000))).toEqual([true]) // it was on its way
  say(frame('exited', 1, { payload: exitPayload(-1) }))
  expect(streams.count).toBe(0)
})

test('one more than the most commands is refused, and a guest may refuse one too', async () => {
  const { streams, answer } = host()
  for (let count = 0; count < mostCommands; count++) streams.open(Buffer.alloc(0), quiet, [1, 1])
  expect(() => streams.open(Buffer.alloc(0), quiet, [1, 1])).toThrow(/64 commands/)
  const other = host()
  const starting = spawnCommand(other.streams, { words: ['x'] }, { clock: systemClock })
  other.answer(1, 11)
  await expect(starting).rejects.toMatchObject({ code: 'EXEC_TOO_MANY' })
  expect(other.streams.count).toBe(0)
  answer(1, 2)
  expect(streams.count).toBe(mostCommands - 1)
})

test('the end of a guest ends its commands, with what had come before', async () => {
  const { start, say, streams } = host()
  const command = await start()
  say(frame('data', 1, { which: 1, payload: Buffer.from('before') }))
  streams.end('its VM has ended')
  await expect(command.exit).rejects.toMatchObject({ code: 'EXEC_LOST', reason: 'its VM has ended' })
  const pieces: Buffer[] = []
  for await (const piece of command.stdout) pieces.push(piece as Buffer)
  expect(String(Buffer.concat(pieces))).toBe('before')
  expect(command.stdin.destroyed).toBe(true)
})
