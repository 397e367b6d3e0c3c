import { expect, test } from 'vitest'
import { GuestAgent } from '../../../src/vm/machine/guest-agent.ts'
import { FakeAgent } from '../../support/fake-guest.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { portPair } from '../../support/qmp-fake.ts'

const turns = async (count: number) => {
  for (let turn = 0; turn < count; turn++) await new Promise(setImmediate)
}

async function opened(): Promise<{ clock: ManualClock; agent: GuestAgent }> {
  const clock = new ManualClock()
  const [ours, theirs] = portPair()
  new FakeAgent(theirs, { endless: true })
  const agent = new GuestAgent('vm-001', ours, clock)
  await agent.opened(1000)
  return { clock, agent }
}

test('a command without a time limit may take longer than any default', async () => {
  const { clock, agent } = await opened()
  let ended = false
  const running = agent.exec(['sleep', 'for ever']).finally(() => {
    ended = true
  })
  running.catch(() => {})
  for (let second = 0; second < 120; second++) {
    await turns(6)
    clock.pass(1000)
  }
  expect(ended).toBe(false)
  agent.closed()
  await expect(running).rejects.toMatchObject({ code: 'AGENT_LOST' })
})

test('a command with a time limit ends after it', async () => {
  const { clock, agent } = await opened()
  const running = agent.exec(['sleep', 'for ever'], { timeoutMs: 5_000 })
  running.catch(() => {})
  for (let tenth = 0; tenth < 70; tenth++) {
    await turns(6)
    clock.pass(100)
  }
  await expect(running).rejects.toMatchObject({
    code: 'QMP_TIMEOUT',
    reason: expect.stringContaining('within 5 s'),
  })
})

test('the signal of a command ends its wait, for the agent as for the program', async () => {
  const closed = new GuestAgent('vm-001', portPair()[0], new ManualClock())
  const controller = new AbortController()
  const { signal } = controller
  const early = closed.exec(['true'], { signal })
  const { agent } = await opened()
  const running = agent.exec(['sleep', 'for ever'], { signal })
  await turns(20)
  controller.abort('enough')
  await expect(early).rejects.toMatchObject({ code: 'QMP_ABORTED', outcome: 'unsent', cause: 'enough' })
  await expect(running).rejects.toMatchObject({ code: 'QMP_ABORTED', outcome: 'unknown', cause: 'enough' })
})
