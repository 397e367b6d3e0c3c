import { expect, test } from 'vitest'
import { cpuHere, cpusDiffer, hostsWith } from '../../../src/fleet/cpus.ts'

const peers = ['n1', 'n2', 'n3']
const host = (model: string, key: string) => ({ cpu: { model, key } })

test('hosts with one CPU are no news', () => {
  const hosts = hostsWith([host('EPYC', 'a'), host('EPYC', 'a')], peers)
  expect(hosts[1]).toEqual({ host: 1, name: 'n2', cpu: 'EPYC' })
  expect(cpusDiffer(hosts)).toBeUndefined()
})

test('models that differ are told with their hosts, and what that means', () => {
  const hosts = hostsWith([host('EPYC', 'a'), host('Xeon', 'b'), host('EPYC', 'a')], peers)
  expect(cpusDiffer(hosts)).toMatch(
    /^the hosts have different CPUs: EPYC \(host 0, 2\); Xeon \(host 1\)\. Saved guests hold for one CPU/,
  )
})

test('one model with other features is told apart', () => {
  const hosts = hostsWith([host('EPYC', 'a1'), host('EPYC', 'b2')], peers)
  expect(hosts.map(({ cpu }) => cpu)).toEqual(['EPYC (features a1)', 'EPYC (features b2)'])
  expect(cpusDiffer(hosts)).toContain('EPYC (features b2) (host 1)')
})

test("features of this machine's CPU count with KVM alone", () => {
  const [kvm, tcg] = (['kvm', 'tcg'] as const).map(accel => cpuHere({ accel }))
  expect(kvm!.model).toBe(tcg!.model)
  expect(kvm!.key).not.toBe(tcg!.key)
  expect(kvm!.key).toMatch(/^[\da-f]{8}$/)
})
