import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect } from 'vitest'
import { probeKernel } from '../../../src/vm/accel/probe-kernel.ts'
import { startVm } from '../../../src/vm/index.ts'
import { test } from '../../support/leaks.ts'
import { guestSpec, logDirectory } from './guest.ts'

const logs = logDirectory()
afterAll(() => logs.remove())

test("a guest without initramfs, console output and agent is ready with readyWith 'running'", async () => {
  const kernel = join(logs.path, 'three-instructions')
  writeFileSync(kernel, probeKernel(), { mode: 0o644 })
  const spec = await guestSpec(logs.path, { kernel, initramfs: undefined, readyWith: 'running' })
  await using machine = await startVm(spec)
  await machine.ready
  expect(machine.state).toBe('ready')
  expect(Object.keys(machine.milestones)).toEqual(['spawned', 'qmp', 'ready'])
  expect(await machine.qmp.execute('query-status')).toMatchObject({ running: true })
  await expect(machine.exec('true', { timeoutMs: 100 })).rejects.toThrow(
    'talk to vm-001: no agent has opened its port in the guest',
  )
  await machine.stop()
  expect(machine.state).toBe('stopped')
})

test("a guest that has an agent can be given commands with readyWith 'running'", async () => {
  await using machine = await startVm(await guestSpec(logs.path, { readyWith: 'running' }))
  await machine.ready
  const { status, stdout } = await machine.exec('uname -s')
  expect([status, Buffer.from(stdout).toString()]).toEqual([0, 'Linux\n'])
})
