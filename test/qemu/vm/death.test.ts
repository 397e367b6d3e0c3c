import { afterAll, expect } from 'vitest'
import { type Machine, type MachineEvent, startVm } from '../../../src/vm/index.ts'
import { test } from '../../support/leaks.ts'
import { guestSpec, logDirectory, printed, readyVm } from './guest.ts'

const logs = logDirectory()
afterAll(() => logs.remove())

/** Waits for its death and returns the failure. */
async function endOf(machine: Machine): Promise<Error & { code?: string }> {
  const failure = await machine.died
  expect(machine.state).toBe('failed')
  expect(failure).toBe(machine.failure)
  return failure!
}

test('of two VMs one panics and one is killed, and each fails with its own reason', async () => {
  const [panicking, killed] = await Promise.all([
    readyVm(logs.path, { name: 'vm-001' }),
    readyVm(logs.path, { name: 'vm-002' }),
  ])
  const events: MachineEvent[] = []
  const heard = (async () => {
    for await (const event of panicking.events()) events.push(event)
  })()

  const waiting = panicking.exec('echo 1 > /proc/sys/kernel/sysrq; echo c > /proc/sysrq-trigger')
  await expect(waiting).rejects.toMatchObject({ code: 'GUEST_PANIC' })
  const failure = await endOf(panicking)
  expect(failure.message).toMatch(/^run vm-001: Kernel panic - not syncing: .*(sysrq|Fatal exception)/)
  expect(failure.message).toContain("the console's last lines:")
  await heard
  expect(events).toMatchObject([{ state: 'failed', reason: expect.stringContaining('Kernel panic') }])

  process.kill(killed.pid, 'SIGKILL')
  expect((await endOf(killed)).message).toContain(
    "run vm-002: QEMU was killed by SIGKILL (after 'ready'; its monitor: ",
  )
  await expect(killed.exec('true')).rejects.toMatchObject({ code: 'QEMU_DIED' })
  await expect(killed.setLink(0, true)).rejects.toMatchObject({ code: 'NO_SUCH_NIC' })
  await killed.stop()
  await killed.kill()
})

test('a guest without an init fails at once with GUEST_PANIC, also with panic=0', async () => {
  const append = 'rdinit=/nope init=/nope'
  const specs = [
    await guestSpec(logs.path, { name: 'vm-001', append }),
    await guestSpec(logs.path, { name: 'vm-002', append: `${append} panic=0` }),
  ]
  const machines = await Promise.all(specs.map(spec => startVm(spec)))
  for (const machine of machines) {
    await expect(machine.ready).rejects.toMatchObject({ code: 'GUEST_PANIC' })
    expect((await endOf(machine)).message).toMatch(/Kernel panic - not syncing: .*(init|root fs)/)
    expect(machine.milestones.init).toBeUndefined()
  }
})

test('a guest that is not ready in time fails with BOOT_TIMEOUT, and one that restarts with GUEST_ENDED', async () => {
  const slow = await startVm(await guestSpec(logs.path, { name: 'vm-001', readyTimeoutMs: 600 }))
  const restarting = await startVm(await guestSpec(logs.path, { name: 'vm-002', append: 'rdinit=/bin/sh' }))
  const prompt = printed(restarting, '# ')
  await expect(slow.ready).rejects.toThrow(
    /boot vm-001: not ready within 0.6 s; the last milestone of its boot was '/,
  )
  expect(await endOf(slow)).toMatchObject({ code: 'BOOT_TIMEOUT' })
  await prompt
  restarting.console.write('exec busybox reboot -f\n')
  await expect(restarting.ready).rejects.toMatchObject({ code: 'GUEST_ENDED' })
  await endOf(restarting)
})
