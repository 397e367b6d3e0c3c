import { expect, test } from 'vitest'
import { socketBuffers, userNamespaces } from '../../../src/host/doctor/network.ts'

const reader = (files: Record<string, string>) => (path: string) => files[path.replace('/proc/sys/', '')]

test.each([
  ['user/max_user_namespaces', '0', /user\.max_user_namespaces is 0/, /user\.max_user_namespaces=15000/],
  ['kernel/unprivileged_userns_clone', '0', /forbids user namespaces/, /userns_clone=1/],
  ['kernel/apparmor_restrict_unprivileged_userns', '1', /AppArmor forbids/, /profile with "userns,"/],
])('%s = %s: an ordinary user is told, root is not held up', (...[setting, value, found, remedy]) => {
  const read = reader({ [setting]: `${value}\n` })
  const examined = () => userNamespaces(read, 1000)
  expect(examined).toThrow(
    expect.objectContaining({ code: 'MACHINE_LACKS', reason: expect.stringMatching(found) }),
  )
  expect(examined).toThrow(expect.objectContaining({ remedy: expect.stringMatching(remedy) }))
  expect(userNamespaces(read, 0)).toMatch(/root needs none$/)
})

test('where nothing forbids user namespaces, or no such setting is there', () => {
  expect(userNamespaces(reader({ 'user/max_user_namespaces': '15000\n' }), 1000)).toContain('may make them')
  expect(userNamespaces(reader({}), 1000)).toContain('may make them')
})

test('buffers that bursts overrun, and the command that makes them larger', () => {
  expect(() => socketBuffers(reader({ 'net/core/rmem_max': '212992\n' }))).toThrow(
    /212992 bytes at most \(net\.core\.rmem_max\).* Run: sysctl -w net\.core\.rmem_max=4194304\.$/,
  )
  expect(socketBuffers(reader({ 'net/core/rmem_max': '8388608\n' }))).toContain('that they ask for')
})
