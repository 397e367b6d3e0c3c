import { describe, expect, test } from 'vitest'
import { readLoad } from '../../../src/host/load.ts'
import { StartLimit } from '../../../src/host/start-limit.ts'
import { type BusyMachine, fixed, type Phases, simulate } from './busy-machine.ts'

const many = (count: number, phases: Phases) => Array.from({ length: count }, () => phases)
/** Clones: QEMU's start, resume and configuration, with short waits between. */
const clone: Phases = [30, 15, 20, 10, 60, 5]
/** Boots with TCG: they compute nearly all of the time. */
const cold: Phases = [100, 20, 1400, 60, 500, 40]
/** Boots with KVM: they wait for devices more than they compute. */
const kvm: Phases = [60, 200, 150, 300, 40, 100]

function best(machine: BusyMachine): number {
  return Math.min(...[1, 2, 4, 8, 16, 32, 64].map(limit => simulate(machine, fixed(limit)).ms))
}

describe.for([
  { what: '100 clones', vms: many(100, clone), clones: true, accel: 'tcg' },
  { what: '6 clones', vms: many(6, clone), clones: true, accel: 'tcg' },
  { what: '24 boots with TCG', vms: many(24, cold), clones: false, accel: 'tcg' },
  { what: '60 boots with KVM', vms: many(60, kvm), clones: false, accel: 'kvm' },
] as const)('start limit for $what', ({ vms, clones, accel }) => {
  test.for([{ cores: 2 }, { cores: 8 }, { cores: 2, psi: false }, { cores: 8, psi: false }])(
    'all VMs are ready as early as with the best fixed limit: %j',
    on => {
      const machine = { vms, ...on }
      const outcome = simulate(machine, new StartLimit({ cores: on.cores, accel, clones }))
      expect(outcome.ms).toBeLessThan(best(machine) * 1.15)
      expect(outcome.mostAtOnce).toBeLessThanOrEqual(on.cores * 12)
    },
  )

  test('VMs get their share of processors next to other load, and no more', () => {
    const machine = { vms, cores: 2, others: 6 }
    const { ms } = simulate(machine, new StartLimit({ cores: 2, accel, clones }))
    expect(ms).toBeLessThan(simulate(machine, fixed(4)).ms * 1.05)
    expect(ms).toBeGreaterThanOrEqual(simulate(machine, fixed(16)).ms)
  })
})

test('the start limit stays at two VMs for each processor on a machine with much other load', () => {
  const machine = { cores: 2, others: 40, vms: many(12, cold) }
  const limit = new StartLimit({ cores: 2, accel: 'tcg', clones: false })
  const { mostAtOnce } = simulate(machine, limit)
  expect(mostAtOnce).toBe(4)
  expect(limit.most).toBe(4)
})

test('the start limit falls when VMs take too long, also without a known run queue', () => {
  const limit = new StartLimit({ cores: 2, accel: 'tcg', clones: true })
  for (let at = 0; limit.most < 40; at += 20) limit.heard({ atMs: at, runnable: 0 }, limit.most)
  limit.passed('qmp', 20)
  for (let i = 0; i < 30; i++) {
    limit.passed('qmp', 900)
    limit.heard({ atMs: 2000 + i * 20, runnable: 0 }, 40)
  }
  expect(limit.most).toBeLessThan(38)
})

test('the start limit does not grow while fewer VMs are starting than it allows', () => {
  const limit = new StartLimit({ cores: 4, accel: 'tcg', clones: false })
  const { most } = limit
  for (let at = 0; at < 1000; at += 20) limit.heard({ atMs: at, stalledMs: 0, runnable: 0 }, 0)
  expect(limit.most).toBe(most)
})

test('the load is read from /proc/loadavg and, if the kernel has PSI, /proc/pressure/cpu', () => {
  const files: Record<string, string> = {
    '/proc/loadavg': '4.45 5.56 5.98 7/247 32756\n',
    '/proc/pressure/cpu':
      'some avg10=69.46 avg60=49.35 avg300=54.45 total=1500789801\nfull avg10=0.00 total=0\n',
  }
  expect(readLoad(5, path => files[path])).toEqual({ atMs: 5, runnable: 6, stalledMs: 1500789.801 })
  expect(readLoad(5, path => (path.includes('pressure') ? undefined : files[path]))).toEqual({
    atMs: 5,
    runnable: 6,
  })
  expect(readLoad(performance.now()).runnable).toBeGreaterThanOrEqual(0)
})
