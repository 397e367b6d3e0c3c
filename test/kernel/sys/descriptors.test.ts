import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  closeSync,
  fstatSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import { defer, Queue } from '../../../src/base/index.ts'
import {
  adoptStream,
  connectStream,
  lockFile,
  peerCredentials,
  type StreamPort,
  sealedMemfd,
  socketPair,
} from '../../../src/sys/index.ts'
import { test } from '../../support/leaks.ts'
import { ManualClock } from '../../support/manual-clock.ts'

interface Arrival {
  readonly text: string
  readonly fds: readonly number[]
}

function arrivals(port: StreamPort): Queue<Arrival> {
  const queue = new Queue<Arrival>()
  port.receive({
    data: (bytes, fds = []) => queue.push({ text: Buffer.from(bytes).toString(), fds }),
    end: failure => queue.end(failure),
  })
  return queue
}

async function temporary<T>(use: (directory: string) => Promise<T>): Promise<T> {
  const directory = mkdtempSync(join(tmpdir(), 'xcluster-test-'))
  try {
    return await use(directory)
  } finally {
    rmSync(directory, { recursive: true })
  }
}

test('a sealed memfd holds what was written, and cannot be written again', async () => {
  await using memfd = await sealedMemfd('ram', fd => void writeSync(fd, 'the guest’s memory'))
  expect(readFileSync(`/proc/self/fd/${memfd.fd}`, 'utf8')).toBe('the guest’s memory')
  expect(() => writeSync(memfd.fd, 'x', 0)).toThrow('EPERM')
  const again = openSync(`/proc/self/fd/${memfd.fd}`, 'r+')
  expect(() => writeSync(again, 'x', 0)).toThrow('EPERM')
  closeSync(again)
  expect(() => memfd.seal()).toThrow('seal memfd ram: Operation not permitted')
})

test('a memfd whose filling fails is closed again', async () => {
  await expect(sealedMemfd('ram', () => Promise.reject(new Error('disk full')))).rejects.toThrow('disk full')
})

test('file descriptors cross a stream in both directions, with the first byte of their message', async () => {
  const [one, other] = socketPair()
  await using left = adoptStream(one)
  await using right = adoptStream(other)
  const toLeft = arrivals(left)
  const toRight = arrivals(right)
  await using memfd = await sealedMemfd('gift', fd => void writeSync(fd, 'inside'))
  left.send(Buffer.from('take this'), [memfd.fd, 0])
  const { value } = await toRight.next()
  expect(value).toMatchObject({ text: 'take this' })
  expect(value.fds).toHaveLength(2)
  const bytes = Buffer.alloc(6)
  readSync(value.fds[0], bytes, 0, 6, 0)
  expect(bytes.toString()).toBe('inside')
  right.send(Buffer.from('back'), [value.fds[0]])
  const back = (await toLeft.next()).value
  expect(fstatSync(back.fds[0]).ino).toBe(fstatSync(memfd.fd).ino)
  for (const fd of [...value.fds, ...back.fds]) closeSync(fd)
  expect(peerCredentials(left.fd)).toEqual({
    pid: process.pid,
    uid: process.getuid!(),
    gid: process.getgid!(),
  })
})

test("bytes beyond a socket's buffer arrive whole and in order, followed by an fd sent after them", async () => {
  const [one, other] = socketPair()
  await using left = adoptStream(one)
  await using right = adoptStream(other)
  const big = Buffer.alloc(3 << 20, 'x')
  left.send(big)
  const file = openSync('/dev/null', 'r')
  left.send(Buffer.from('!'), [file])
  closeSync(file)
  let length = 0
  for await (const { text, fds } of arrivals(right)) {
    length += text.length
    for (const fd of fds) {
      expect(fstatSync(fd).rdev).toBe(statSync('/dev/null').rdev)
      closeSync(fd)
    }
    if (fds.length > 0) break
  }
  expect(length).toBe(big.length + 1)
})

test('a stream keeps what arrived before it had a receiver, and reports its end once', async () => {
  const [one, other] = socketPair()
  await using left = adoptStream(one)
  const right = adoptStream(other)
  right.send(Buffer.from('early'))
  await right.close()
  expect(() => right.send(Buffer.from('late'))).toThrow('stream: already closed')
  const texts: string[] = []
  for await (const { text } of arrivals(left)) texts.push(text)
  expect(texts).toEqual(['early'])
  expect(() => left.send(Buffer.from('after the end'))).not.toThrow()
})

test('connectStream() connects to a path, and names a path that does not exist', () =>
  temporary(async directory => {
    const path = join(directory, 'socket')
    const server = createServer(socket => socket.pipe(socket)).listen(path)
    await once(server, 'listening')
    const port = await connectStream(path)
    const answers = arrivals(port)
    port.send(Buffer.from('hello'))
    expect((await answers.next()).value.text).toBe('hello')
    await port.close()
    const done = defer()
    server.close(() => done.resolve())
    await done.promise
    await expect(connectStream(path)).rejects.toMatchObject({ errnoName: 'ENOENT', target: path })
  }))

test('a connection waits while the queue of the listener is full, and no longer than asked', () =>
  temporary(async directory => {
    const path = join(directory, 'socket')
    const clock = new ManualClock()
    let accepted = 0
    const server = createServer(socket => {
      accepted++
      socket.resume()
    }).listen({ path, backlog: 1 })
    await once(server, 'listening')
    // The server accepts when this loop turns: until then all are in its queue, and it has room for two.
    const ports = [connectStream(path), connectStream(path)]
    const late = connectStream(path, { clock, timeoutMs: 0 })
    const patient = connectStream(path, { clock })
    await expect(late).rejects.toMatchObject({ errnoName: 'EAGAIN', target: path })
    await expect.poll(() => accepted).toBe(2)
    expect(clock.waiting).toBe(1)
    clock.pass(5)
    for (const port of [...ports, patient]) await (await port).close()
    expect(clock.waiting).toBe(0)
    const done = defer()
    server.close(() => done.resolve())
    await done.promise
  }))

test('a file lock excludes this process and others until it is closed or its holder dies', () =>
  temporary(async directory => {
    const path = join(directory, 'lock')
    const lock = lockFile(path)!
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(lockFile(path)).toBeUndefined()
    const tried = spawn('flock', ['--nonblock', '--conflict-exit-code=9', path, 'true'])
    expect(await once(tried, 'exit')).toEqual([9, null])
    await lock.close()

    const holder = spawn('flock', ['--no-fork', path, 'sh', '-c', 'echo held; exec sleep 60'])
    await once(holder.stdout, 'data')
    expect(lockFile(path)).toBeUndefined()
    holder.kill('SIGKILL')
    await once(holder, 'close')
    await lockFile(path)!.close()
  }))
