import { describe, expect, test } from 'vitest'
import { qmpFixture } from '../../support/qmp-fixture.ts'

const at = qmpFixture()

const running = { running: true, status: 'running' }

describe('file descriptors of the QMP client', () => {
  test('a file descriptor is sent with its command', async () => {
    const client = await at.connected()
    const done = client.execute('getfd', { fdname: 'state' }, { fds: [42] })
    const command = await at.qemu.next()
    expect(command).toMatchObject({ execute: 'getfd', arguments: { fdname: 'state' }, fds: [42] })
    at.qemu.reply(command)
    await done
  })

  test('a command with a descriptor waits until all others are answered, and all others wait for its reply', async () => {
    const client = await at.connected()
    const before = client.execute('query-status')
    const sending = client.execute('getfd', { fdname: 'state' }, { fds: [42] })
    const after = client.execute('stop')
    const urgent = client.execute('migrate-pause', undefined, { oob: true })
    const [status, pause] = [await at.qemu.next(), await at.qemu.next()]
    expect([status.execute, pause['exec-oob']]).toEqual(['query-status', 'migrate-pause'])
    at.qemu.reply(status, running)
    at.qemu.refuse(pause, 'not now')
    await expect(urgent).rejects.toThrow('not now')
    const descriptor = await at.qemu.next()
    expect(descriptor).toMatchObject({ execute: 'getfd', fds: [42] })

    const late = client.execute('migrate-pause', undefined, { oob: true })
    await at.qemu.delivered()
    at.qemu.reply(descriptor)
    const [first, second] = [await at.qemu.next(), await at.qemu.next()]
    expect([first['exec-oob'], second.execute]).toEqual(['migrate-pause', 'stop'])
    at.qemu.refuse(first, 'not now')
    at.qemu.reply(second)
    await expect(late).rejects.toThrow('not now')
    await Promise.all([before, sending, after])
  })

  test('a command with a descriptor that times out before it is sent lets the others go', async () => {
    const client = await at.connected()
    const before = client.execute('system_reset')
    const reset = await at.qemu.next()
    const lost = client.execute('getfd', { fdname: 'state' }, { fds: [42], timeoutMs: 50 })
    const after = client.execute('stop')
    at.clock.pass(50)
    await expect(lost).rejects.toMatchObject({ code: 'QMP_TIMEOUT', outcome: 'unsent' })
    const stop = await at.qemu.next()
    expect(stop).toMatchObject({ execute: 'stop', fds: [] })
    at.qemu.reply(reset)
    at.qemu.reply(stop)
    await Promise.all([before, after])
  })

  test.each([
    ['7up', [42], "'7up' cannot be the name of a descriptor"],
    ['', [42], "'' cannot be the name of a descriptor"],
    ['two', [42, 43], 'one file descriptor with a command, not 2'],
    ['none', [], 'getfd needs a file descriptor'],
  ])('getfd %j with descriptors %j is refused by the client', async (fdname, fds, words) => {
    const client = await at.connected()
    const refused = client.execute('getfd', { fdname }, { fds })
    await expect(refused).rejects.toThrow(words)
    await expect(refused).rejects.toMatchObject({ code: 'QMP_BAD_FD', kind: 'usage', outcome: 'unsent' })
  })
})
