import { execFileSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect } from 'vitest'
import { openQmp, type QmpClient } from '../../../src/qmp/index.ts'
import type { Launched } from '../../../src/sys/index.ts'
import { bareQemu, endBare, launchBare } from '../../support/bare-qemu.ts'
import { test } from '../../support/leaks.ts'
import { waitFor } from '../../support/wait.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'xcluster-test-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

/** Runs `work` with a new QEMU. */
async function withQemu(work: (client: QmpClient, process: Launched) => Promise<void>): Promise<void> {
  const qemu = await bareQemu()
  try {
    await work(qemu.client, qemu.process)
  } finally {
    await endBare(qemu)
  }
}

test('the QMP client reads the schema, one line that is longer than any read', () =>
  withQemu(async client => {
    const schema = await client.execute('query-qmp-schema')
    expect(JSON.stringify(schema).length).toBeGreaterThan(150_000)
    expect(schema.find(({ name }) => name === 'query-status')).toBeDefined()
    expect(client.version?.qemu.major).toBeGreaterThanOrEqual(6)
    expect(await client.execute('query-version')).toEqual(client.version)
  }))

test('quit gives the SHUTDOWN event, then its reply, then the end of the connection', () =>
  withQemu(async (client, process) => {
    const order: string[] = []
    const shutdown = client.once('SHUTDOWN').then(event => order.push(event.data.reason))
    void client.closed.then(() => order.push('closed'))
    await client.execute('quit').then(() => order.push('reply'))
    await shutdown
    await client.closed
    expect(order).toEqual(['host-qmp-quit', 'reply', 'closed'])
    expect(await process.exited).toEqual({ code: 0 })
  }))

test("an error of the QEMU monitor has QEMU's own words and error class", () =>
  withQemu(async client => {
    await expect(client.execute('set_link', { name: 'nic9', up: true })).rejects.toMatchObject({
      message: "run set_link on the QEMU monitor: Device 'nic9' not found",
      errorClass: 'DeviceNotFound',
    })
    await expect(client.execute('no-such-thing')).rejects.toMatchObject({ errorClass: 'CommandNotFound' })
    const deep = JSON.parse(`${'['.repeat(2000)}${']'.repeat(2000)}`)
    await expect(client.execute('any', { deep })).rejects.toThrow('nested more than 1000 levels deep')
    expect(await client.execute('query-status')).toMatchObject({ status: 'running' })
  }))

test('a hundred simultaneous QMP commands are all answered, in order', () =>
  withQemu(async client => {
    const lines = await Promise.all(
      Array.from({ length: 100 }, (_, i) =>
        client.execute('human-monitor-command', { 'command-line': `print ${i}` }),
      ),
    )
    expect(lines.map(Number)).toEqual(Array.from({ length: 100 }, (_, i) => i))
  }))

/** Blocks QEMU's main loop as its own qmp-test does: it reads a configuration from a FIFO without a writer. */
test('an out-of-band command is answered while the main loop of QEMU is blocked and its queue is full', () =>
  withQemu(async client => {
    const config = join(directory, 'fifo')
    execFileSync('mkfifo', [config])
    const image = { driver: 'null-co' }
    const blocked = client.execute('blockdev-add', { driver: 'blkdebug', 'node-name': 'n', config, image })
    const rest = Array.from({ length: 20 }, () => client.execute('query-status'))
    await expect(client.execute('query-status', undefined, { timeoutMs: 50 })).rejects.toMatchObject({
      code: 'QMP_TIMEOUT',
    })
    await expect(client.execute('migrate-pause', undefined, { oob: true })).rejects.toThrow('postcopy')

    await (await open(config, 'w')).close()
    await blocked
    expect(await Promise.all(rest)).toHaveLength(20)
  }))

test('getfd passes a file descriptor to QEMU under its name', () =>
  withQemu(async client => {
    const path = join(directory, 'state')
    const fd = openSync(path, 'w')
    const migrated = client.once('MIGRATION', event => event.data.status === 'completed')
    await client.execute('migrate-set-capabilities', {
      capabilities: [{ capability: 'events', state: true }],
    })
    await client.execute('getfd', { fdname: 'state' }, { fds: [fd] })
    closeSync(fd)
    await client.execute('migrate', { uri: 'fd:state' })
    await migrated
    expect(readFileSync(path, 'latin1').slice(0, 4)).toBe('QEVM')
    await expect(client.execute('closefd', { fdname: 'state' })).rejects.toThrow(
      "File descriptor named 'state' not found",
    )
  }))

test('kill -9 of QEMU rejects pending commands and waits with QMP_CLOSED', () =>
  withQemu(async (client, process) => {
    const waiting = client.once('SHUTDOWN')
    process.kill('SIGSTOP')
    const command = client.execute('cont')
    process.kill('SIGKILL')
    await expect(command).rejects.toMatchObject({ code: 'QMP_CLOSED', outcome: 'unknown', command: 'cont' })
    await expect(waiting).rejects.toMatchObject({ code: 'QMP_CLOSED' })
    expect(await client.closed).toMatchObject({ code: 'QMP_CLOSED' })
    expect(await process.exited).toEqual({ signal: 'SIGKILL' })
  }))

test('a second client of a monitor socket times out without a greeting until the first one closes', async () => {
  const path = join(directory, 'qmp')
  const process = launchBare(['-qmp', `unix:${path},server=on,wait=off`])
  try {
    const first = await waitFor(() => openQmp(path).catch(() => undefined), 10_000)
    await expect(openQmp(path, { timeoutMs: 50 })).rejects.toThrow('no greeting within 50 ms')
    await first!.close()
    const second = await openQmp(path)
    expect(await second.execute('query-status')).toMatchObject({ running: true })
    await second.execute('quit')
    await second.closed
  } finally {
    process.kill('SIGKILL')
    await process.exited
  }
})
