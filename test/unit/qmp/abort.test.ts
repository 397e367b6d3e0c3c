import { getEventListeners } from 'node:events'
import { beforeEach, describe, expect, test } from 'vitest'
import { connectAgent, connectQmp } from '../../../src/qmp/index.ts'
import { qmpFixture } from '../../support/qmp-fixture.ts'

const at = qmpFixture()
const running = { running: true, status: 'running' }

let controller: AbortController
beforeEach(() => {
  controller = new AbortController()
})

describe('a signal of the QMP client', () => {
  test('makes the outcome of a command that was sent unknown, and drops its late reply', async () => {
    const client = await at.connected()
    const { signal } = controller
    const lost = client.execute('system_reset', undefined, { signal })
    const next = client.execute('query-status')
    const [reset, status] = [await at.qemu.next(), await at.qemu.next()]
    controller.abort('enough')
    await expect(lost).rejects.toMatchObject({
      code: 'QMP_ABORTED',
      command: 'system_reset',
      outcome: 'unknown',
      reason: 'its caller aborted it after it was sent',
      cause: 'enough',
    })
    at.qemu.reply(reset)
    at.qemu.reply(status, running)
    expect(await next).toEqual(running)
    expect(at.clock.waiting).toBe(0)
  })

  test('takes a command that waits for its turn back, unsent, and the one behind it is sent', async () => {
    const client = await at.connected()
    const others = Array.from({ length: 8 }, () => client.execute('stop'))
    const lost = client.execute('system_reset', undefined, { signal: controller.signal })
    const last = client.execute('cont')
    controller.abort()
    await expect(lost).rejects.toMatchObject({ code: 'QMP_ABORTED', outcome: 'unsent' })
    for (const _ of others) at.qemu.reply(await at.qemu.next())
    const command = await at.qemu.next()
    expect(command.execute).toBe('cont')
    at.qemu.reply(command)
    await Promise.all([...others, last])
  })

  test('that has aborted keeps a command from being sent', async () => {
    const client = await at.connected()
    controller.abort()
    const lost = client.execute('system_reset', undefined, { signal: controller.signal })
    await expect(lost).rejects.toMatchObject({ code: 'QMP_ABORTED', outcome: 'unsent' })
    const next = client.execute('stop')
    const command = await at.qemu.next()
    expect(command.execute).toBe('stop')
    at.qemu.reply(command)
    await next
  })

  test('has no listener left of commands and waits that have ended', async () => {
    const client = await at.connected()
    const { signal } = controller
    const [done, event] = [
      client.execute('stop', undefined, { signal }),
      client.once('STOP', undefined, { signal }),
    ]
    at.qemu.event('STOP')
    at.qemu.reply(await at.qemu.next())
    await Promise.all([done, event])
    expect(getEventListeners(signal, 'abort')).toEqual([])
  })

  test('ends a wait for an event, and other waits go on', async () => {
    const client = await at.connected()
    const [lost, kept] = [client.once('STOP', undefined, { signal: controller.signal }), client.once('STOP')]
    controller.abort('enough')
    await expect(lost).rejects.toMatchObject({ code: 'QMP_ABORTED', cause: 'enough' })
    at.qemu.event('STOP')
    expect((await kept).type).toBe('STOP')
  })

  test('ends connecting to a QEMU that does not greet, and the port is closed', async () => {
    const connecting = connectQmp(at.port, { clock: at.clock, signal: controller.signal })
    controller.abort()
    await expect(connecting).rejects.toMatchObject({
      code: 'QMP_ABORTED',
      op: 'connect to',
      outcome: 'unsent',
    })
    expect(at.port.closed).toBe(true)
    expect(at.clock.waiting).toBe(0)
  })
})

describe('a signal of the guest agent’s client', () => {
  const synchronised = async () => {
    const connecting = connectAgent(at.port, { clock: at.clock })
    await answerSync()
    return connecting
  }
  const answerSync = async () => {
    const sync = await at.qemu.next()
    expect(sync.execute).toBe('guest-sync-delimited')
    at.qemu.reply(sync, sync.arguments?.id)
  }

  test('makes the outcome of a command that was sent unknown, and the next one synchronises first', async () => {
    const agent = await synchronised()
    const lost = agent.execute('guest-ping', undefined, { signal: controller.signal })
    await at.qemu.next()
    controller.abort()
    await expect(lost).rejects.toMatchObject({
      code: 'QMP_ABORTED',
      outcome: 'unknown',
      command: 'guest-ping',
    })
    expect(agent.state).toBe('unsynced')
    const ping = agent.execute('guest-ping')
    await answerSync()
    at.qemu.reply(await at.qemu.next())
    await ping
    await agent.close()
  })

  test('takes a command back, unsent, while the client synchronises', async () => {
    const agent = await synchronised()
    const first = agent.execute('guest-ping', undefined, { timeoutMs: 50 })
    await at.qemu.next()
    at.clock.pass(50)
    await expect(first).rejects.toMatchObject({ code: 'QMP_TIMEOUT' })
    const lost = agent.execute('guest-info', undefined, { signal: controller.signal })
    controller.abort('enough')
    await expect(lost).rejects.toMatchObject({ code: 'QMP_ABORTED', outcome: 'unsent', cause: 'enough' })
    await answerSync()
    await agent.close()
  })

  test('ends the wait for a program, which continues in the guest', async () => {
    const agent = await synchronised()
    const lost = agent.exec('sleep 9', { signal: controller.signal })
    at.qemu.reply(await at.qemu.next(), { pid: 77 })
    at.qemu.reply(await at.qemu.next(), { exited: false })
    await at.qemu.delivered()
    controller.abort('enough')
    await expect(lost).rejects.toMatchObject({
      code: 'QMP_ABORTED',
      command: '/bin/sh',
      outcome: 'unknown',
      reason: 'its caller aborted the wait, and it continues in the guest as process 77',
      cause: 'enough',
    })
    await agent.close()
    expect(at.clock.waiting).toBe(0)
  })

  test('ends connecting to an agent that does not answer, and the port is closed', async () => {
    const connecting = connectAgent(at.port, { clock: at.clock, signal: controller.signal })
    controller.abort()
    await expect(connecting).rejects.toMatchObject({ code: 'QMP_ABORTED', op: 'connect to' })
    expect(at.port.closed).toBe(true)
  })
})
