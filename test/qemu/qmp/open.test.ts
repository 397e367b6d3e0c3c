import { closeSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect } from 'vitest'
import { listenQmp, openQmp, type QmpClient } from '../../../src/qmp/index.ts'
import { type Launched, socketPair } from '../../../src/sys/index.ts'
import { launchBare } from '../../support/bare-qemu.ts'
import { test } from '../../support/leaks.ts'

let directory: string
let started: Launched[]
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'xcluster-test-'))
  started = []
})
afterEach(async () => {
  for (const process of started) {
    process.kill('SIGKILL')
    await process.exited
  }
  rmSync(directory, { recursive: true })
})

function start(args: readonly string[], fds: readonly number[] = []): void {
  started.push(launchBare(args, fds))
}

async function expectAnswers(client: QmpClient): Promise<void> {
  expect(await client.execute('query-status')).toMatchObject({ status: 'running' })
  await client.close()
}

test('openQmp waits for a QEMU that starts later, and for the directory of its socket', async () => {
  const path = join(directory, 'vm/qmp')
  const opening = openQmp(path)
  mkdirSync(join(directory, 'vm'))
  start(['-qmp', `unix:${path},server=on,wait=off`])
  await expectAnswers(await opening)
})

test('openQmp waits for a QEMU that listens where one was killed', async () => {
  const path = join(directory, 'qmp')
  start(['-qmp', `unix:${path},server=on,wait=off`])
  const first = await openQmp(path)
  started[0]!.kill('SIGKILL')
  await Promise.all([first.closed, started[0]!.exited])
  await expect(openQmp(path, { connectMs: 0 })).rejects.toMatchObject({
    code: 'QMP_UNREACHABLE',
    outcome: 'unsent',
    reason: expect.stringContaining('Connection refused'),
  })
  const opening = openQmp(path)
  start(['-qmp', `unix:${path},server=on,wait=off`])
  await expectAnswers(await opening)
})

test('openQmp takes a TCP address, over which descriptors are refused and nothing is sent', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  const { port } = await new Promise<AddressInfo>(resolve =>
    server.once('listening', () => resolve(server.address() as AddressInfo)),
  )
  await new Promise(resolve => server.close(resolve))
  const opening = openQmp({ host: '127.0.0.1', port })
  start(['-qmp', `tcp:127.0.0.1:${port},server=on,wait=off`])
  const client = await opening
  expect(client.peer).toBe(`127.0.0.1:${port}`)
  await expect(client.execute('getfd', { fdname: 'null' }, { fds: [0] })).rejects.toMatchObject({
    code: 'QMP_BAD_FD',
    outcome: 'unsent',
    reason: expect.stringContaining('only a unix socket'),
  })
  const events = client.once('SHUTDOWN')
  await client.execute('quit')
  expect((await events).data.reason).toBe('host-qmp-quit')
  expect(await client.closed).toMatchObject({ code: 'QMP_CLOSED' })
})

test('openQmp takes a connected descriptor, and refuses one that is not open', async () => {
  const [ours, theirs] = socketPair()
  start(['-chardev', 'socket,id=m,fd=3', '-mon', 'chardev=m,mode=control'], [theirs])
  closeSync(theirs)
  await expectAnswers(await openQmp(ours))
  await expect(openQmp(65_000)).rejects.toMatchObject({
    code: 'QMP_UNREACHABLE',
    message: expect.stringContaining('file descriptor 65000'),
  })
})

test('openQmp says what was missing when the time is over, and its signal ends the wait', async () => {
  const path = join(directory, 'none/qmp')
  await expect(openQmp(path, { connectMs: 30 })).rejects.toMatchObject({
    code: 'QMP_UNREACHABLE',
    reason: 'No such file or directory (connect, ENOENT); waited for at most 30 ms',
  })
  const controller = new AbortController()
  const opening = openQmp(path, { signal: controller.signal })
  controller.abort('enough')
  await expect(opening).rejects.toMatchObject({ code: 'QMP_ABORTED', outcome: 'unsent', cause: 'enough' })
  await expect(openQmp({ host: 'name.invalid', port: 1 })).rejects.toMatchObject({ code: 'QMP_UNREACHABLE' })
})

test('listenQmp accepts QEMUs that connect by themselves, by path and by TCP, one after the other', async () => {
  const path = join(directory, 'qmp')
  await using listener = await listenQmp(path)
  const accepting = listener.accept()
  start(['-qmp', `unix:${path}`])
  await expectAnswers(await accepting)
  start(['-qmp', `unix:${path}`])
  const second = await listener.accept()
  await listener.close()
  expect(existsSync(path)).toBe(false)
  await expectAnswers(second)

  await using tcp = await listenQmp({ host: '127.0.0.1', port: 0 })
  const { port } = tcp.address as { port: number }
  start(['-qmp', `tcp:127.0.0.1:${port}`])
  await expectAnswers(await tcp.accept())
})

test('listenQmp says that nothing connected; an aborted wait loses no later connection', async () => {
  const path = join(directory, 'qmp')
  await using listener = await listenQmp(path)
  await expect(listener.accept({ connectMs: 30 })).rejects.toMatchObject({
    code: 'QMP_UNREACHABLE',
    reason: 'nothing connected within 30 ms',
  })
  const controller = new AbortController()
  const lost = listener.accept({ signal: controller.signal })
  controller.abort('enough')
  await expect(lost).rejects.toMatchObject({ code: 'QMP_ABORTED', cause: 'enough' })
  start(['-qmp', `unix:${path}`])
  await expectAnswers(await listener.accept())
  await expect(listenQmp(path)).rejects.toMatchObject({ errnoName: 'EADDRINUSE' })
  const pending = expect(listener.accept()).rejects.toMatchObject({ code: 'CLOSED' })
  await listener.close()
  await pending
  await expect(listener.accept()).rejects.toMatchObject({ code: 'CLOSED' })
})
