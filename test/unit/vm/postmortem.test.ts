import { expect, test } from 'vitest'
import { bootTimeout, type ExitReport, postmortem } from '../../../src/vm/machine/death.ts'

const remains: ExitReport = { name: 'vm-003', stderr: '', console: 'one\ntwo', reached: 'init' }
const panic = 'Kernel panic - not syncing: sysrq triggered crash'

test("a panic is reported with the kernel's words and the console's last lines", () => {
  const reset = { guest: true, reason: 'guest-reset' }
  const died = postmortem({ ...remains, panic, shutdown: reset, exit: { code: 0 } })
  expect(died).toMatchObject({ code: 'GUEST_PANIC' })
  expect(died.reason).toBe(`${panic}\nthe console's last lines:\n  one\n  two`)
  expect(postmortem({ ...remains, panic })).toMatchObject({ code: 'GUEST_PANIC' }) // QEMU still runs: the guest is halted
})

test('an emulated guest that resets while its kernel boots is distinguished from one that panics', () => {
  const reset = { ...remains, shutdown: { guest: true, reason: 'guest-reset' }, exit: { code: 0 } }
  const trap = 'int3: 0000 [#1] PREEMPT SMP'
  expect(postmortem({ ...reset, reached: 'kernel', panic, trap })).toMatchObject({
    code: 'BOOT_BROKEN',
    reason: expect.stringContaining(`the guest reset while its kernel booted, ${trap}\n`),
  })
  expect(postmortem({ ...reset, reached: 'kernel' })).toMatchObject({ code: 'BOOT_BROKEN' }) // a triple fault
  expect(postmortem({ ...reset, reached: 'kernel', panic })).toMatchObject({ code: 'GUEST_PANIC' })
  expect(postmortem({ ...reset, panic, trap })).toMatchObject({ code: 'GUEST_PANIC' }) // after init
  expect(postmortem(reset)).toMatchObject({ code: 'GUEST_ENDED' })
  const crashed = { ...remains, reached: 'kernel' as const, exit: { signal: 'SIGSEGV' as const } }
  expect(postmortem(crashed)).toMatchObject({
    code: 'BOOT_BROKEN',
    reason: expect.stringContaining("QEMU was killed by SIGSEGV while the guest's kernel booted"),
  })
  expect(postmortem({ ...crashed, reached: 'agent' })).toMatchObject({ code: 'QEMU_DIED' })
  const asked = { ...reset, reached: 'kernel' as const, console: '[    2.1] reboot: Restarting system' }
  expect(postmortem(asked)).toMatchObject({ code: 'GUEST_ENDED' })
})

test('a text like a panic is ignored when QEMU ended for another reason', () => {
  expect(postmortem({ ...remains, panic, exit: { signal: 'SIGKILL' } })).toMatchObject({
    code: 'QEMU_DIED',
    reason: expect.stringContaining("QEMU was killed by SIGKILL (after 'init')"),
  })
})

test('a guest that ended by itself is distinguished from a QEMU that did', () => {
  const off = { guest: true, reason: 'guest-shutdown' }
  expect(postmortem({ ...remains, shutdown: off, exit: { code: 0 } })).toMatchObject({
    code: 'GUEST_ENDED',
    reason: expect.stringContaining('the guest shut itself down (guest-shutdown'),
  })
  expect(postmortem({ ...remains, stderr: 'no such device\n', exit: { code: 1 } }).reason).toBe(
    "QEMU exited with status 1 (after 'init')\nQEMU said:\n  no such device\nthe console's last lines:\n  one\n  two",
  )
  expect(postmortem({ ...remains, monitor: 'no greeting' }).reason).toContain(
    'lost its monitor (no greeting)',
  )
})

test("a guest whose init cannot use what was brought is reported with init's words alone", () => {
  const off = { guest: true, reason: 'guest-shutdown' }
  const console = 'xcluster: init\nxcluster: the disk image has no root\n[    9.1] reboot: Power down.'
  const died = postmortem({ ...remains, shutdown: off, exit: { code: 0 }, console })
  expect(died).toMatchObject({ code: 'GUEST_ENDED', message: 'boot vm-003: the disk image has no root' })
  const other = console.replace('the disk image has no root', 'overlay mine.tar')
  for (const report of [
    { ...remains, shutdown: off, console: other },
    { ...remains, shutdown: { guest: true, reason: 'guest-reset' }, console },
    { ...remains, shutdown: off, console, reached: 'agent' as const },
  ])
    expect(postmortem(report).reason).toContain('the guest ')
})

test('a boot that takes too long is reported with the last milestone', () => {
  expect(bootTimeout(remains, 1500).message).toContain(
    "boot vm-003: not ready within 1.5 s; the last milestone of its boot was 'init'",
  )
})
