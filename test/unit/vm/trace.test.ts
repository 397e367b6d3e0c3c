import { expect, test } from 'vitest'
import type { Launched } from '../../../src/sys/index.ts'
import { Progress } from '../../../src/vm/machine/progress.ts'
import { tellExit, tellLaunched } from '../../../src/vm/trace.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { Traces } from '../../support/traces.ts'

test('milestones and states of a VM are traced with the time since its start', () => {
  const clock = new ManualClock()
  const progress = new Progress('vm-001', clock, clock.now())
  using traces = new Traces('vm')
  progress.pass('spawned')
  clock.pass(20)
  progress.pass('qmp')
  progress.pass('qmp')
  progress.enter('running')
  progress.enter('failed', 'QEMU was killed')
  expect(traces.messages.map(({ peer, what, ms, value }) => [peer, what, ms, value])).toEqual([
    ['vm-001', 'passes spawned', 0, { milestone: 'spawned' }],
    ['vm-001', 'passes qmp', 20, { milestone: 'qmp' }],
    ['vm-001', 'is running', 20, { state: 'running' }],
    ['vm-001', 'is failed', 20, { state: 'failed', reason: 'QEMU was killed' }],
  ])
})

test('the start of a VM is traced with QEMU’s process and arguments, without the data of secrets', () => {
  using traces = new Traces('vm')
  const secret = 'secret,id=s,data=hunter2'
  const json = '{"qom-type":"secret","data":"hunter2","id":"s"}'
  const args = ['-name', 'vm-001', '-append', 'console=ttyS0 quiet', '-object', secret, '-object', json]
  tellLaunched('vm-001', { file: '/usr/bin/qemu', args, identity: { uid: 70_001, gid: 70_001 } }, {
    pid: 42,
  } as Launched)
  expect(traces.lines).toEqual([
    '-> vm-001: start QEMU {pid: 42, uid: 70001, argv: [/usr/bin/qemu, -name, vm-001, -append, "console=ttyS0 quiet", -object, "an object with a secret, 24 characters, not shown", -object, "an object with a secret, 47 characters, not shown"]}',
  ])
})

test('the end of a VM is traced with QEMU’s signal or exit status', () => {
  using traces = new Traces('vm')
  tellExit('vm-001', 42, { signal: 'SIGKILL' })
  tellExit('vm-002', 43, { code: 1 })
  expect(traces.lines).toEqual([
    '<- vm-001: QEMU exits, killed by SIGKILL {pid: 42, exit: {signal: SIGKILL}}',
    '<- vm-002: QEMU exits, status 1 {pid: 43, exit: {code: 1}}',
  ])
})
