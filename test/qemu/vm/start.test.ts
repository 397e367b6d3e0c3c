import { chmodSync, copyFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect } from 'vitest'
import { type Milestone, startVm, type VmSpec } from '../../../src/vm/index.ts'
import { test } from '../../support/leaks.ts'
import { guestSpec, logDirectory } from './guest.ts'

const logs = logDirectory()
afterAll(() => logs.remove())

/** A program to use in place of QEMU. */
function program(name: string, script: string): string {
  const path = join(logs.path, name)
  writeFileSync(path, `#!/bin/sh\n${script}\n`, { mode: 0o755 })
  chmodSync(logs.path, 0o755)
  return path
}

describe('VM that cannot start', () => {
  const faults: Record<string, [() => Partial<VmSpec>, string, RegExp]> = {
    'a missing kernel': [() => ({ kernel: '/no/kernel' }), 'BOOT_FILE', /\/no\/kernel: No such file/],
    'an initramfs that QEMU may not read': [
      () => {
        const path = join(logs.path, 'private')
        copyFileSync('/etc/hostname', path)
        chmodSync(path, 0o600)
        return { initramfs: path }
      },
      'BOOT_FILE',
      /cannot be read by uid \d+, the user of QEMU \(mode 0600\)/,
    ],
    'a console log in a missing directory': [
      () => ({ consoleLog: '/no/log' }),
      'CONSOLE_LOG',
      /^No such file or directory$/,
    ],
    'a missing QEMU': [() => ({ qemu: '/no/qemu' }), 'QEMU_DIED', /\/no\/qemu: No such file/],
    'an option that QEMU does not know': [
      () => ({ extraArgs: ['-device', 'no-such-device'] }),
      'QEMU_DIED',
      /exited with status 1[\s\S]*'no-such-device' is not a valid device/,
    ],
    'a file that is not a kernel': [() => ({ kernel: '/etc/hostname' }), 'QEMU_DIED', /QEMU said/],
    'more memory than the machine has': [() => ({ memoryMiB: 1 << 30 }), 'QEMU_DIED', /memory/i],
    'a QEMU that sends its greeting and ends': [
      () => ({ qemu: program('dies', `echo '{"QMP":{"version":{}}}' >&3; exit 7`) }),
      'QEMU_DIED',
      /exited with status 7/,
    ],
    'a QEMU that sends malformed data and keeps running': [
      () => ({ qemu: program('nonsense', 'echo nonsense >&3; exec sleep 1000') }),
      'QEMU_DIED',
      /lost its monitor/,
    ],
    'a QEMU that sends nothing until the time limit': [
      () => ({ qemu: program('silent', 'exec sleep 1000'), readyTimeoutMs: 300 }),
      'BOOT_TIMEOUT',
      /not ready within 0.3 s; the last milestone of its boot was 'spawned'/,
    ],
  }
  test.for(Object.entries(faults))(
    'a VM with %s fails with the reason, and leaves nothing behind',
    async ([, [fault, code, reason]]) => {
      const started = startVm(await guestSpec(logs.path, fault()))
      await expect(started).rejects.toMatchObject({ code, reason: expect.stringMatching(reason) })
    },
  )
})

describe('aborted start of a VM', () => {
  const aborted = { code: 'START_ABORTED', target: 'vm-001' }

  test('the start of a VM is aborted before it begins', async () => {
    const started = startVm(await guestSpec(logs.path), { signal: AbortSignal.abort() })
    await expect(started).rejects.toMatchObject(aborted)
  })

  test('the start of a VM is aborted while its files are being opened', async () => {
    const controller = new AbortController()
    const started = startVm(await guestSpec(logs.path), { signal: controller.signal })
    controller.abort()
    await expect(started).rejects.toMatchObject(aborted)
  })

  test('the start of a VM is aborted while QEMU is being started', async () => {
    const controller = new AbortController()
    const qemu = program('waits', 'exec sleep 1000')
    const started = startVm(await guestSpec(logs.path, { qemu }), { signal: controller.signal })
    setImmediate(() => controller.abort())
    await expect(started).rejects.toMatchObject(aborted)
  })

  test.for<Milestone>(['qmp', 'kernel', 'agent'])(
    'the start of a VM is aborted at the milestone %s',
    async milestone => {
      const controller = new AbortController()
      const machine = await startVm(await guestSpec(logs.path), { signal: controller.signal })
      const abort = () => controller.abort()
      if (machine.milestones[milestone] !== undefined) abort()
      else
        for await (const event of machine.events())
          if (event.type === 'milestone' && event.milestone === milestone) abort()
      await expect(machine.ready).rejects.toMatchObject(aborted)
      expect(await machine.died).toMatchObject(aborted)
      expect(machine.state).toBe('failed')
    },
  )
})

test('a VM that is killed or stopped before it is ready has not failed, and its ready rejects with VM_GONE', async () => {
  const spec = await guestSpec(logs.path)
  const [killed, stopped] = [await startVm(spec), await startVm({ ...spec, name: 'vm-002' })]
  await Promise.all([killed.kill(), stopped.stop()])
  for (const machine of [killed, stopped]) {
    expect(machine.state).toBe('stopped')
    expect(await machine.died).toBeUndefined()
    await expect(machine.ready).rejects.toMatchObject({ code: 'VM_GONE' })
  }
})
