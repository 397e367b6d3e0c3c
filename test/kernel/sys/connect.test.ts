import { once } from 'node:events'
import { linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer, type ListenOptions, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect } from 'vitest'
import type { Port } from '../../../src/base/index.ts'
import { connectWhenReady } from '../../../src/sys/index.ts'
import { test } from '../../support/leaks.ts'

let directory: string
let servers: Server[]
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'xcluster-test-'))
  servers = []
})
afterEach(async () => {
  for (const server of servers) await new Promise(resolve => server.close(resolve))
  rmSync(directory, { recursive: true })
})

/** A server that greets and ends the connection. */
async function greeter(place: ListenOptions): Promise<Server> {
  const server = createServer(socket => void socket.end('hello'))
  servers.push(server)
  server.listen(place)
  await once(server, 'listening')
  return server
}

/** What arrives until the end. */
async function all(port: Port): Promise<string> {
  const pieces: Uint8Array[] = []
  await new Promise<void>((resolve, reject) => {
    port.receive({
      data: bytes => pieces.push(bytes),
      end: failure => (failure ? reject(failure) : resolve()),
    })
  })
  await port.close()
  return Buffer.concat(pieces).toString()
}

test('a connection waits for its socket, and for the directories above it', async () => {
  const path = join(directory, 'a/b/socket')
  const connecting = connectWhenReady(path, { withinMs: 10_000 })
  mkdirSync(join(directory, 'a'))
  writeFileSync(join(directory, 'a/other'), '')
  await new Promise(resolve => setImmediate(resolve))
  mkdirSync(join(directory, 'a/b'))
  await greeter({ path })
  expect(await all(await connecting)).toBe('hello')
})

test('a connection waits for a socket that exists to be listened at, in place of a dead listener', async () => {
  const path = join(directory, 'socket')
  const abandoned = await greeter({ path })
  const copy = join(directory, 'stale')
  linkSync(path, copy) // stays when the server removes its own path
  servers.pop()
  await new Promise(resolve => abandoned.close(resolve))
  const connecting = connectWhenReady(copy, { withinMs: 10_000 })
  await expect(connectWhenReady(copy, { withinMs: 0 })).rejects.toMatchObject({ errnoName: 'ECONNREFUSED' })
  unlinkSync(copy)
  await greeter({ path: copy })
  expect(await all(await connecting)).toBe('hello')
})

test('a connection waits for the socket that a link leads to', async () => {
  symlinkSync(join(directory, 'later'), join(directory, 'link'))
  const connecting = connectWhenReady(join(directory, 'link'), { withinMs: 10_000 })
  await greeter({ path: join(directory, 'later') })
  expect(await all(await connecting)).toBe('hello')
})

test('a connection waits for a TCP port, and carries no descriptors', async () => {
  const first = await greeter({ port: 0, host: '127.0.0.1' })
  const { port } = first.address() as AddressInfo
  servers.pop()
  await new Promise(resolve => first.close(resolve))
  await expect(connectWhenReady({ host: '127.0.0.1', port }, { withinMs: 0 })).rejects.toMatchObject({
    errnoName: 'ECONNREFUSED',
  })
  const connecting = connectWhenReady({ host: '127.0.0.1', port }, { withinMs: 10_000 })
  await greeter({ port, host: '127.0.0.1' })
  const connection = await connecting
  const x = Buffer.from('x')
  expect(() => connection.send(x, [0])).toThrow('only a unix socket')
  expect(await all(connection)).toBe('hello')
  expect(() => connection.send(x)).toThrow('closed')
})

test('a socket that does not come within the time, or before the signal aborts, is refused in the kernel’s words', async () => {
  const path = join(directory, 'none/socket')
  const missing = { errnoName: 'ENOENT', message: expect.stringContaining('No such file or directory') }
  await expect(connectWhenReady(path, { withinMs: 30 })).rejects.toMatchObject(missing)
  const controller = new AbortController()
  const waiting = connectWhenReady(path, { withinMs: 60_000, signal: controller.signal })
  controller.abort()
  await expect(waiting).rejects.toMatchObject(missing)
  const file = join(directory, 'file')
  writeFileSync(file, '')
  await expect(connectWhenReady(join(file, 'socket'), { withinMs: 60_000 })).rejects.toMatchObject({
    errnoName: 'ENOTDIR',
  })
})
