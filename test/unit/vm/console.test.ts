import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { expect, onTestFinished, test } from 'vitest'
import type { Port, PortReceiver } from '../../../src/base/index.ts'
import { GuestConsole } from '../../../src/vm/console/console.ts'
import { ConsoleLog } from '../../../src/vm/console/console-log.ts'
import { ConsoleLines, lastLines, type Sight, sightOf } from '../../../src/vm/console/console-text.ts'
import { Ring } from '../../../src/vm/console/ring.ts'
import { collect } from '../../support/collect.ts'

const bytes = (text: string) => Buffer.from(text)

test("the console's ring keeps the last bytes, in any pieces", async () => {
  await fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ maxLength: 30 })),
      fc.integer({ min: 1, max: 20 }),
      (pieces, size) => {
        const ring = new Ring(size)
        for (const piece of pieces) ring.push(piece)
        expect(Buffer.from(ring.contents())).toEqual(Buffer.concat(pieces).subarray(-size))
      },
    ),
  )
})

test("the console's lines come out the same, in any pieces", async () => {
  await fc.assert(
    fc.property(fc.array(fc.string({ unit: fc.constantFrom('a', '\n', '\r', '\xff') })), pieces => {
      const lines = new ConsoleLines()
      const whole = pieces.join('').replaceAll('\r', '').split('\n').slice(0, -1)
      expect(pieces.flatMap(piece => lines.push(Buffer.from(piece, 'latin1')))).toEqual(whole)
    }),
  )
})

test('a console line without an end takes no more memory than its limit', () => {
  const lines = new ConsoleLines(8)
  for (let i = 0; i < 100; i++) expect(lines.push(bytes('xxxxx'))).toEqual([])
  expect(lines.push(bytes('\nnext\n'))).toEqual(['xxxxxxxx', 'next'])
})

test('a kernel panic on the console counts only with a time stamp', () => {
  const words = 'Kernel panic - not syncing: No working init found.'
  expect(sightOf(`[    1.417042] ${words}  Try passing init=`)).toEqual({
    panic: `${words}  Try passing init=`,
  })
  expect(sightOf(`[    1.417042][    T1] ${words}`)).toEqual({ panic: words })
  expect(sightOf(words)).toBeUndefined()
  expect(sightOf(`log: [    1.417042] ${words}`)).toBeUndefined()
  expect(sightOf('[    0.911] int3: 0000 [#1] PREEMPT SMP')).toEqual({ trap: 'int3: 0000 [#1] PREEMPT SMP' })
  expect(sightOf('[    0.911][    C1] Oops: int3: 0000 [#1] SMP')).toEqual({
    trap: 'Oops: int3: 0000 [#1] SMP',
  })
  expect(sightOf('[    0.911] int3: 0000 [#2] PREEMPT SMP')).toBeUndefined()
  expect(sightOf('xcluster: init')).toEqual({ milestone: 'init' })
})

test("the console's last lines are plain text without colours, titles, carriage returns and empty lines", () => {
  const screen = '\x1b]0;title\x07\x1b[1;31mred\x1b[0m\r\n\r\n\x1b[6nvm:/# ls\x08\r\n  äö\r\n'
  expect(lastLines(bytes(screen), 9)).toBe('red\nvm:/# ls\n  äö')
  expect(lastLines(bytes('1\n2\n3'), 2)).toBe('2\n3')
})

test("the console's last lines have no characters that reorder text or end lines, and are bounded", () => {
  expect(lastLines(bytes('a\u202eb\u2028c\u0085d\n'), 9)).toBe('abcd')
  expect(lastLines(bytes(`${'x'.repeat(60_000)}\n`), 9)).toHaveLength(1025)
})

/** A console with this test at the other end. */
function consoleOver(path: string) {
  let receiver: PortReceiver | undefined
  const typed: Uint8Array[] = []
  const port: Port = {
    receive: to => {
      receiver = to
    },
    send: sent => void typed.push(sent),
    close: async () => {},
    [Symbol.asyncDispose]: async () => {},
  }
  const seen: (Sight | 'began')[] = []
  const console = new GuestConsole(port, new ConsoleLog(path, 'vm-001'))
  console.listen({ began: () => seen.push('began'), saw: sight => seen.push(sight) })
  return {
    console,
    typed,
    seen,
    print: (piece: Uint8Array) => receiver!.data(piece),
    end: () => receiver!.end(),
  }
}

test('console output goes to the ring, the log and every reader, byte for byte', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'xcluster-test-'))
  onTestFinished(() => rmSync(directory, { recursive: true }))
  const { console, typed, seen, print, end } = consoleOver(join(directory, 'log'))
  const readers = [console.attach(), console.attach()]
  const all = Uint8Array.from({ length: 256 }, (_, i) => i)

  print(all)
  print(bytes('\nxcluster: init\n'))
  console.write('ls\n')
  end()
  await console.ended
  await console.close()

  const expected = Buffer.concat([all, bytes('\nxcluster: init\n')])
  expect(Buffer.from(console.tail())).toEqual(expected)
  expect(readFileSync(join(directory, 'log'))).toEqual(expected)
  for (const reader of readers) expect(Buffer.concat(await collect(reader))).toEqual(expected)
  expect(seen).toEqual(['began', { milestone: 'init' }])
  expect(Buffer.concat(typed).toString()).toBe('ls\n')
  expect((await console.attach().next()).done).toBe(true)
})

test('a console log that cannot be opened is reported at once', () => {
  expect(() => new ConsoleLog('/nowhere/log', 'vm-001')).toThrow(
    'open console log of vm-001: No such file or directory',
  )
})

test('a slow reader of a console that floods loses the oldest output, and costs a bounded amount of memory', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'xcluster-test-'))
  onTestFinished(() => rmSync(directory, { recursive: true }))
  const { console, print } = consoleOver(join(directory, 'log'))
  const slow = console.attach()
  for (let piece = 0; piece < 100; piece++) print(Buffer.alloc(64 << 10, piece))
  await console.close()
  const kept = await collect(slow)
  expect(kept.length).toBeLessThanOrEqual(16)
  expect(kept.at(-1)![0]).toBe(99)
})
