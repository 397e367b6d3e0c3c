import { describe, expect, test } from 'vitest'
import { readLoad } from '../../../src/host/load.ts'
import { StartLimit } from '../../../src/host/start-limit.ts'
import { type BusyMachine, fixed, type Phases, simulate } from './busy-machine.ts'

const many = (count: number, phases: Phases) => Array.from({ length: count }, () => phases)
/** Clones: spawn and wake up, identity, with short waits between. */
const clone: Phases = [30, 15, 20, 10, 60, 5]
/** Cold boots under TCG: nearly all of it is work. */
const cold: Phases = [100, 20, 1400, 60, 500, 40]
/** Boots under KVM: they wait for devices more than they work. */
const kvm: Phases = [60, 200, 150, 300, 40, 100]

function best(machine: BusyMachine): number {
  return Math.min(...[1, 2, 4, 8, 16, 32, 64].map(limit => simulate(machine, fixed(limit)).ms))
}

describe.for([
  { what: 'clones', vms: many(100, clone), clones: true, accel: 'tcg' },
  { what: 'six clones', vms: many(6, clone), clones: true, accel: 'tcg' },
  { what: 'cold boots', vms: many(24, cold), clones: false, accel: 'tcg' },
  { what: 'boots under KVM', vms: many(60, kvm), clones: false, accel: 'kvm' },
] as const)('$what', ({ vms, clones, accel }) => {
  test.for([{ cores: 2 }, { cores: 8 }, { cores: 2, psi: false }, { cores: 8, psi: false }])(
    'are ready as early as with the best fixed number: %j',
    on => {
      const machine = { vms, ...on }
      const outcome = simulate(machine, new StartLimit({ cores: on.cores, accel, clones }))
      expect(outcome.ms).toBeLessThan(best(machine) * 1.15)
      expect(outcome.mostAtOnce).toBeLessThanOrEqual(on.cores * 12)
    },
  )

  test('have their share beside others, and no more', () => {
    const machine = { vms, cores: 2, others: 6 }
    const { ms } = simulate(machine, new StartLimit({ cores: 2, accel, clones }))
    expect(ms).toBeLessThan(simulate(machine, fixed(4)).ms * 1.05)
    expect(ms).toBeGreaterThanOrEqual(simulate(machine, fixed(16)).ms)
  })
})

test('on a machine full of others it goes on with two for each processor', () => {
  const machine = { cores: 2, others: 40, vms: many(12, cold) }
  const limit = new StartLimit({ cores: 2, accel: 'tcg', clones: false })
  const { mostAtOnce } = simulate(machine, limit)
  expect(mostAtOnce).toBe(4)
  expect(limit.most).toBe(4)
})

test('where nothing is said of the queue, how long VMs take is enough to end an excess', () => {
  const limit = new StartLimit({ cores: 2, accel: 'tcg', clones: true })
  for (let at = 0; limit.most < 40; at += 20) limit.heard({ atMs: at, runnable: 0 }, limit.most)
  limit.passed('qmp', 20)
  for (let i = 0; i < 30; i++) {
    limit.passed('qmp', 900)
    limit.heard({ atMs: 2000 + i * 20, runnable: 0 }, 40)
  }
  expect(limit.most).toBeLessThan(38)
})

test('does not grow while what it allows is not used', () => {
  const limit = new StartLimit({ cores: 4, accel: 'tcg', clones: false })
  const { most } = limit
  for (let at = 0; at < 1000; at += 20) limit.heard({ atMs: at, stalledMs: 0, runnable: 0 }, 0)
  expect(limit.most).toBe(most)
})

test('the load is what the kernel says, PSI where there is some', () => {
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
