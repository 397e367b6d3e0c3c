import { afterEach, expect, test } from 'vitest'
import { qmpFixture } from '../../support/qmp-fixture.ts'

const at = qmpFixture()

afterEach(() => at.port.close())

test('once() called before a command receives the event that comes before its reply', async () => {
  const client = await at.connected()
  const shutdown = client.once('SHUTDOWN')
  const quit = client.execute('quit')
  const command = await at.qemu.next()
  at.qemu.event('SHUTDOWN', { guest: false, reason: 'host-qmp-quit' })
  at.qemu.reply(command)
  at.qemu.port.other?.end()
  expect((await shutdown).data.reason).toBe('host-qmp-quit')
  await quit
  expect(await client.closed).toMatchObject({ code: 'QMP_CLOSED' })
})

test('once() resolves with the first event that its filter accepts', async () => {
  const client = await at.connected()
  const open = client.once('VSERPORT_CHANGE', event => event.data.id === 'agent' && event.data.open)
  at.qemu.event('VSERPORT_CHANGE', { id: 'stream', open: true })
  at.qemu.event('VSERPORT_CHANGE', { id: 'agent', open: false })
  at.qemu.event('VSERPORT_CHANGE', { id: 'agent', open: true })
  expect((await open).data).toEqual({ id: 'agent', open: true })
})

test('once() rejects at its time limit, and when the monitor closes', async () => {
  const client = await at.connected()
  const late = client.once('STOP', () => true, { timeoutMs: 10 })
  const lost = client.once('STOP')
  at.clock.pass(10)
  await expect(late).rejects.toMatchObject({ code: 'QMP_NO_EVENT' })
  await client.close()
  await expect(lost).rejects.toMatchObject({ code: 'QMP_CLOSED' })
  expect(at.clock.waiting).toBe(0)
})

test('each listener has its own bounded queue, and its loop ends with the monitor', async () => {
  const client = await at.connected()
  const all = client.events(undefined, { limit: 2 })
  const resets = client.events(['RESET'])
  const left = client.events('STOP')
  await left.return()
  for (const name of ['STOP', 'RESUME', 'RESET', 'STOP']) at.qemu.event(name)
  at.qemu.port.other?.end()
  await client.closed
  expect([...(await names(all)), all.lost]).toEqual(['RESET', 'STOP', 2])
  expect(await names(resets)).toEqual(['RESET'])
  expect(await names(left)).toEqual([])
  expect(() => client.events()).toThrow(expect.objectContaining({ code: 'QMP_CLOSED' }))
})

test('a filter that throws ends its own listener and no other', async () => {
  const client = await at.connected()
  const broken = client.events(() => {
    throw new Error('my own mistake')
  })
  const good = client.once('STOP')
  at.qemu.event('STOP')
  await good
  await expect(broken.next()).rejects.toThrow('my own mistake')
})

async function names(events: AsyncIterable<{ type: string }>): Promise<string[]> {
  const seen = []
  for await (const { type } of events) seen.push(type)
  return seen
}
