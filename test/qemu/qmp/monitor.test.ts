import { execFileSync } from 'node:child_process'
import { closeSync, mkdtempSync, rmSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect } from 'vitest'
import { openQmp, type QmpClient } from '../../../src/qmp/index.ts'
import { adoptStream, type Launched, socketPair } from '../../../src/sys/index.ts'
import { bareQemu, endBare, launchBare } from '../../support/bare-qemu.ts'
import { test } from '../../support/leaks.ts'
import { waitFor } from '../../support/wait.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'xcluster-test-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

/** Runs `work` with a new QEMU. */
async function withQemu(
  work: (client: QmpClient, process: Launched) => Promise<void>,
  args: readonly string[] = [],
): Promise<void> {
  const qemu = await bareQemu(args)
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

test('integers of 64 bits are exact both ways in QEMU: set as a property, and read back', () =>
  withQemu(async client => {
    await client.execute('object-add', { 'qom-type': 'iothread', id: 'io' })
    const time = { path: '/objects/io', property: 'poll-max-ns' }
    for (const value of [2n ** 63n - 1n, 9_007_199_254_740_993n, Number.MAX_SAFE_INTEGER, 1_794_000_000]) {
      await client.execute('qom-set', { ...time, value })
      expect(await client.execute('qom-get', time)).toBe(value)
    }
    const rounded = client.execute('qom-set', { ...time, value: 2 ** 62 })
    await expect(rounded).rejects.toMatchObject({ code: 'QMP_BAD_ARGUMENTS', outcome: 'unsent' })
  }))

const disk = ['-blockdev', 'null-co,node-name=n', '-device', 'virtio-scsi-pci']
const wwn = 0x5000_c500_a0b1_c2d3n

test("a disk's WWN, and the largest integer of 64 bits, come from QEMU as they are", () =>
  withQemu(
    async client => {
      const get = (path: string, property: string) => client.execute('qom-get', { path, property })
      expect(await get('/machine/peripheral/disk', 'wwn')).toBe(wwn)
      expect(await get('/machine/peripheral/root', 'mem-reserve')).toBe(2n ** 64n - 1n)
    },
    [
      ...['-M', 'q35,accel=tcg', '-S', '-m', '16', '-device', 'pcie-root-port,id=root'],
      ...[...disk, '-device', `scsi-hd,id=disk,drive=n,wwn=${wwn}`],
    ],
  ))

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
    const image = { driver: 'null-co' } as const
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
    // A socket: from 11 on QEMU takes no regular file by this way.
    const [ours, theirs] = socketPair()
    await using port = adoptStream(ours)
    const saved: Buffer[] = []
    port.receive({ data: bytes => void saved.push(Buffer.from(bytes)), end: () => {} })
    const migrated = client.once('MIGRATION', event => event.data.status === 'completed')
    await client.execute('migrate-set-capabilities', {
      capabilities: [{ capability: 'events', state: true }],
    })
    await client.execute('getfd', { fdname: 'state' }, { fds: [theirs] })
    closeSync(theirs)
    await client.execute('migrate', { uri: 'fd:state' })
    await migrated
    const start = () => Buffer.concat(saved).toString('latin1', 0, 4)
    expect(await waitFor(() => start().length === 4)).toBe(true)
    expect(start()).toBe('QEVM')
    await expect(client.execute('closefd', { fdname: 'state' })).rejects.toThrow(
      "File descriptor named 'state' not found",
    )
  }))

test('a descriptor that is not open fails its command alone, and QEMU hears nothing of it', () =>
  withQemu(async client => {
    await expect(client.execute('getfd', { fdname: 'state' }, { fds: [65_000] })).rejects.toMatchObject({
      code: 'QMP_BAD_FD',
      outcome: 'unsent',
      reason: 'descriptor 65000 is not open in this process',
    })
    expect(await client.execute('query-status')).toMatchObject({ running: true })
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
    const first = await openQmp(path)
    await expect(openQmp(path, { timeoutMs: 50 })).rejects.toThrow('no greeting within 50 ms')
    await first.close()
    const second = await openQmp(path)
    expect(await second.execute('query-status')).toMatchObject({ running: true })
    await second.execute('quit')
    await second.closed
  } finally {
    process.kill('SIGKILL')
    await process.exited
  }
})
