import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { silentCommands } from '../../../src/qmp/generated/agent.ts'
import { connectAgent } from '../../../src/qmp/index.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { FakeQemu, portPair, type Received } from '../../support/qmp-fake.ts'

async function connected() {
  const [ours, theirs] = portPair()
  const [guest, clock] = [new FakeQemu(theirs), new ManualClock()]
  const agree = (sync: Received) => {
    expect(sync.execute).toBe('guest-sync-delimited')
    guest.raw(Uint8Array.of(0xff))
    guest.reply(sync, sync.arguments?.id)
  }
  const opening = connectAgent(ours, { clock, timeoutMs: 10_000, peer: 'vm-001' })
  agree(await guest.next())
  return { agent: await opening, guest, clock, theirs, agree }
}

test('the commands without an answer are those of the schemas', () => {
  const schema = JSON.parse(readFileSync('scripts/qmp/schemas/agent-11.1.json', 'utf8'))
  const silent = Object.entries<{ silent?: boolean }>(schema.commands).filter(([, { silent }]) => silent)
  expect(silent.map(([name]) => name)).toEqual(silentCommands)
  expect(silentCommands).toContain('guest-shutdown')
})

test('a shutdown resolves when the guest closes the port', async () => {
  const { agent, guest, theirs } = await connected()
  const off = agent.execute('guest-shutdown', { mode: 'powerdown' })
  await guest.next()
  await theirs.close()
  expect(await off).toBeUndefined()
})

test('a suspended guest is silent, and its next command synchronises first', async () => {
  const { agent, guest, clock, agree } = await connected()
  const suspend = agent.execute('guest-suspend-ram')
  const asked = await guest.next()
  clock.pass(4_999)
  const pending = await Promise.race([suspend, Promise.resolve('pending')])
  expect(pending).toBe('pending')
  clock.pass(1)
  expect(await suspend).toBeUndefined()
  expect(asked.execute).toBe('guest-suspend-ram')
  const ping = agent.execute('guest-ping')
  agree(await guest.next())
  guest.reply(await guest.next())
  expect(await ping).toEqual({})
  await agent.close()
})

test('a refusal of a command without an answer is thrown', async () => {
  const { agent, guest } = await connected()
  const off = agent.execute('guest-shutdown', { mode: 'sideways' })
  guest.refuse(await guest.next(), 'mode is invalid (valid values are: halt|powerdown|reboot)')
  await expect(off).rejects.toMatchObject({ code: 'QMP_COMMAND', outcome: 'failed' })
  await agent.close()
})

test('a connection that its user closes before says nothing about the guest', async () => {
  const { agent, guest } = await connected()
  const off = agent.execute('guest-shutdown')
  await guest.next()
  await Promise.all([
    agent.close(),
    expect(off).rejects.toMatchObject({ code: 'QMP_CLOSED', outcome: 'unknown' }),
  ])
})

test('other commands without an answer still fail', async () => {
  const { agent, guest, clock } = await connected()
  const ping = agent.execute('guest-ping', undefined, { timeoutMs: 100 })
  await guest.next()
  clock.pass(100)
  await expect(ping).rejects.toMatchObject({ code: 'QMP_TIMEOUT' })
  await agent.close()
})
