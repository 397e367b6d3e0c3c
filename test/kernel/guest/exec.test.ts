import { once } from 'node:events'
import { expect } from 'vitest'
import { execInputLimit } from '../../../src/api/index.ts'
import { systemClock } from '../../../src/base/index.ts'
import { mostCommands, runCommand, spawnCommand } from '../../../src/stream/index.ts'
import { test as plain } from '../../support/leaks.ts'
import { descendants, markDescendants } from '../../support/processes.ts'
import { RealGuest } from '../../support/real-guest.ts'
import { waitFor } from '../../support/wait.ts'

/** The real program in the part of a guest, and this machine as that guest. */
const test = plain.extend<{ guest: RealGuest }>({
  guest: async ({ census: _ }, use) => {
    markDescendants()
    await using guest = new RealGuest()
    await use(guest)
  },
})

const run = (guest: RealGuest, command: readonly string[] | string, options = {}) =>
  runCommand(guest.channel.streams, command, { clock: systemClock, ...options })
const start = (guest: RealGuest, words: readonly string[], more = {}) =>
  spawnCommand(guest.channel.streams, { words, ...more }, { clock: systemClock })
const named = (name: string) => descendants().filter(({ command }) => command.includes(name))

test('a command in a guest gives its status, its signal and both outputs', async ({ guest }) => {
  const { stdout, stderr, ...ended } = await run(guest, 'echo out; echo err >&2; exit 7')
  expect([String(stdout), String(stderr), ended]).toEqual(['out\n', 'err\n', { status: 7 }])
  expect(await run(guest, 'kill -9 $$')).toMatchObject({ status: 137, signal: 9 })
})

test('a command in a guest gets its environment and arguments as they are', async ({ guest }) => {
  const words = ['sh', '-c', 'echo "$A|$1|$2|$PATH|$HOME"', 'sh', 'a b\n', '']
  const { stdout } = await run(guest, words, { env: { A: 'x y', PATH: '/bin' } })
  expect(String(stdout)).toBe('x y|a b\n||/bin|\n')
})

test('a command in a guest has the signals and processors of an ordinary program', async ({ guest }) => {
  const { stdout } = await run(guest, 'grep -E "^(SigBlk|SigIgn|Cpus_allowed_list)" /proc/self/status; nproc')
  expect(String(stdout)).toMatch(/SigBlk:\t0+\nSigIgn:\t0+\n/)
  const processors = String(stdout).trim().split('\n').at(-1)
  expect(Number(processors)).toBeGreaterThanOrEqual(2)
})

test('thirty megabytes through a command in a guest arrive whole', async ({ guest }) => {
  const input = Buffer.alloc(30_000_000)
  for (let at = 0; at < input.length; at += 4) input.writeUInt32LE(at, at)
  const { stdout, status } = await run(guest, ['cat'], { input })
  expect(status).toBe(0)
  expect(Buffer.compare(Buffer.from(stdout), input)).toBe(0)
})

test('a program left in the background does not hold a command in a guest', async ({ guest }) => {
  const { stdout, status } = await run(guest, 'sleep 1000 & echo $!')
  const pid = Number(String(stdout))
  try {
    expect(status).toBe(0)
    expect(descendants().map(found => found.pid)).toContain(pid)
  } finally {
    process.kill(pid)
  }
})

test('a command in a guest that leaves its input unread, or closes it, ends with its own status', async ({
  guest,
}) => {
  const input = Buffer.alloc(3_000_000)
  expect(await run(guest, ['true'], { input })).toMatchObject({ status: 0 })
  expect(await run(guest, 'exec <&-; sleep 0.1; echo on; exit 3', { input })).toMatchObject({ status: 3 })
})

test('a program that a guest lacks, or may not run, is named with the reason', async ({ guest }) => {
  await expect(run(guest, ['/nope'])).rejects.toMatchObject({
    code: 'EXEC_NOT_STARTED',
    message: 'run /nope on vm-001: No such file or directory',
  })
  await expect(run(guest, ['/etc/passwd'])).rejects.toMatchObject({ code: 'EXEC_NOT_ALLOWED' })
  await expect(run(guest, [])).rejects.toMatchObject({ code: 'EXEC_NOTHING', kind: 'usage' })
  await expect(run(guest, ['echo', 'a\0b'])).rejects.toMatchObject({ code: 'EXEC_WORD', kind: 'usage' })
  const long = ['echo', 'x'.repeat(200 << 10)]
  await expect(run(guest, long)).rejects.toMatchObject({ code: 'EXEC_WORD' })
  const tooLong = ['echo', 'x'.repeat(150 << 10)]
  await expect(run(guest, tooLong)).rejects.toMatchObject({ reason: 'Argument list too long' })
  expect(await run(guest, ['true'])).toMatchObject({ status: 0 })
})

test('a command in a guest whose output never ends loses its pipes at the limit, which the error names', async ({
  guest,
}) => {
  const failure = await run(guest, ['yes']).catch(thrown => thrown)
  expect(failure).toMatchObject({ code: 'EXEC_OUTPUT_LIMIT', reason: expect.stringContaining('32 MiB') })
  expect(await waitFor(() => named('yes').length === 0, 5000)).toBe(true)
})

test('input over the limit is refused before a command runs in the guest', async ({ guest }) => {
  const input = Buffer.alloc(execInputLimit + 1)
  await expect(run(guest, ['cat'], { input })).rejects.toMatchObject({
    code: 'EXEC_INPUT_LIMIT',
    reason: expect.stringContaining('32 MiB'),
  })
  expect(guest.channel.streams.count).toBe(0)
})

test('a command in a guest whose signal aborts continues there, and the error says so', async ({ guest }) => {
  const controller = new AbortController()
  const running = run(guest, ['sleep', '1000.5'], { signal: controller.signal })
  expect(await waitFor(() => named('sleep').length > 0, 5000)).toBe(true)
  controller.abort('enough')
  await expect(running).rejects.toMatchObject({
    code: 'EXEC_ABORTED',
    reason: 'its caller aborted the wait, and it may continue in the guest',
  })
  expect(named('sleep')).toHaveLength(1)
  for (const { pid } of named('sleep')) process.kill(pid)
})

test('a command in a guest that takes longer than its limit continues there, and does not miss its reader', async ({
  guest,
}) => {
  const script = 'trap "" PIPE; sleep 0.5; echo on && exec tail -f /dev/null'
  await expect(run(guest, script, { timeoutMs: 200 })).rejects.toMatchObject({
    code: 'EXEC_TIMEOUT',
    message: expect.stringMatching(
      /^run .bin.sh on vm-001: it has not ended within 0.2 s, and continues in the guest/,
    ),
  })
  expect(await waitFor(() => named('tail').length > 0, 5000)).toBe(true)
  for (const { pid } of named('tail')) process.kill(pid)
})

test('a guest that loses xcluster-guest fails its commands, with where to look', async ({ guest }) => {
  const running = run(guest, ['sleep', '1000.5'])
  expect(await waitFor(() => named('sleep').length > 0, 5000)).toBe(true)
  guest.kill()
  await expect(running).rejects.toMatchObject({
    code: 'EXEC_LOST',
    remedy: expect.stringContaining('console'),
  })
  await expect(run(guest, ['true'])).rejects.toMatchObject({ code: 'EXEC_LOST' })
  for (const { pid } of named('sleep')) process.kill(pid)
})

test('a restarted xcluster-guest skips what was sent to the one before, and then works', async ({
  census: _,
}) => {
  markDescendants()
  await using guest = new RealGuest({ restarted: true })
  guest.socket.write(Buffer.alloc(100_000, 'the rest of a frame '))
  expect(
    await waitFor(async () => {
      const asked = run(guest, ['echo', 'good']).catch(() => undefined)
      return String((await asked)?.stdout) === 'good\n'
    }, 5000),
  ).toBe(true)
})

test('a hundred commands at once: those over the limit are refused with a sentence, the others run', async ({
  guest,
}) => {
  const asked = Array.from({ length: 100 }, (_, index) => run(guest, `echo ${index}`))
  const results = await Promise.allSettled(asked)
  const good = results.flatMap(result => (result.status === 'fulfilled' ? [String(result.value.stdout)] : []))
  expect(good).toEqual(Array.from({ length: mostCommands }, (_, index) => `${index}\n`))
  const refused = results.filter(result => result.status === 'rejected')
  expect(refused).toHaveLength(100 - mostCommands)
  expect(refused[0]!.reason.message).toBe(
    'run a command on vm-001: 64 commands run on it already, which is the limit. Wait until some have ended, or start them from one shell in the guest.',
  )
  expect(await run(guest, ['true'])).toMatchObject({ status: 0 })
})

test('a reader that does not read, and a command that does not, hold nothing else', async ({ guest }) => {
  await using writer = await start(guest, ['yes'])
  await using reader = await start(guest, ['sleep', '1000.5'])
  reader.stdin.write(Buffer.alloc(1_000_000))
  await once(writer.stdout, 'readable')
  expect(await guest.channel.apply([], 5000)).toBeGreaterThan(0n)
  expect(String((await run(guest, ['echo', 'on'])).stdout)).toBe('on\n')
  expect(writer.stdout.readableLength).toBeLessThan(1 << 20)
  expect(reader.stdin.writableLength).toBeGreaterThan(500_000)
})

test('output comes while a command runs, and input goes to it', async ({ guest }) => {
  await using command = await start(guest, [
    'sh',
    '-c',
    'echo ready; while read -r line; do echo "got $line"; done',
  ])
  const lines: string[] = []
  command.stdout.on('data', bytes => lines.push(String(bytes)))
  expect(await waitFor(() => lines.join('') === 'ready\n')).toBe(true)
  command.stdin.write('one\n')
  expect(await waitFor(() => lines.join('') === 'ready\ngot one\n')).toBe(true)
  command.stdin.end('two\n')
  expect(await command.exit).toEqual({ status: 0 })
})

test('a signal reaches a command and the programs that it waits for', async ({ guest }) => {
  await using command = await start(guest, ['sh', '-c', 'sleep 1000.5; echo never'])
  expect(await waitFor(() => named('sleep').length > 0, 5000)).toBe(true)
  command.kill('SIGINT')
  expect(await command.exit).toEqual({ status: 130, signal: 2 })
  expect(named('sleep')).toEqual([])
})

test('a command with a terminal has its size, which follows, and its keys', async ({ guest }) => {
  const terminal = { rows: 10, columns: 33 }
  await using command = await start(
    guest,
    [
      'sh',
      '-c',
      'test -t 0 && test -t 2 && echo $TERM; trap "stty size" WINCH; stty size; while :; do read -r a; done',
    ],
    { terminal },
  )
  let seen = ''
  command.stdout.on('data', bytes => {
    seen += bytes
  })
  expect(await waitFor(() => seen === 'linux\r\n10 33\r\n')).toBe(true)
  command.resize({ rows: 5, columns: 7 })
  expect(await waitFor(() => seen.endsWith('5 7\r\n'))).toBe(true)
  command.stdin.write('\x03')
  expect(await command.exit).toEqual({ status: 130, signal: 2 })
})

test('closing a command kills it, and a reader that leaves closes its pipe', async ({ guest }) => {
  const command = await start(guest, ['sh', '-c', 'sleep 1000.5'])
  await command[Symbol.asyncDispose]()
  await expect(command.exit).rejects.toMatchObject({ code: 'EXEC_ABORTED' })
  expect(await waitFor(() => named('sleep').length === 0)).toBe(true)
  const head = await start(guest, ['yes'])
  head.stdout.destroy()
  expect(await head.exit).toEqual({ status: 141, signal: 13 })
})
