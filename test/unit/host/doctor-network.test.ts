import { expect, test } from 'vitest'
import { socketBuffers, userNamespaces } from '../../../src/host/doctor/network.ts'

const reader = (files: Record<string, string>) => (path: string) => files[path.replace('/proc/sys/', '')]

test.each([
  ['user/max_user_namespaces', '0', /user\.max_user_namespaces is 0/, /user\.max_user_namespaces=15000/],
  ['kernel/unprivileged_userns_clone', '0', /forbids user namespaces/, /userns_clone=1/],
  ['kernel/apparmor_restrict_unprivileged_userns', '1', /AppArmor forbids/, /profile with "userns,"/],
])(
  '%s = %s is an error for an unprivileged user and a note for root',
  (...[setting, value, found, remedy]) => {
    const read = reader({ [setting]: `${value}\n` })
    const examined = () => userNamespaces(read, 1000)
    expect(examined).toThrow(
      expect.objectContaining({ code: 'MACHINE_LACKS', reason: expect.stringMatching(found) }),
    )
    expect(examined).toThrow(expect.objectContaining({ remedy: expect.stringMatching(remedy) }))
    expect(userNamespaces(read, 0)).toMatch(/root does not need them$/)
  },
)

test('user namespaces are allowed when no sysctl forbids them, or when the sysctls do not exist', () => {
  expect(userNamespaces(reader({ 'user/max_user_namespaces': '15000\n' }), 1000)).toContain('may make them')
  expect(userNamespaces(reader({}), 1000)).toContain('may make them')
})

test('a small limit of socket buffers is reported with the command that raises it', () => {
  expect(() => socketBuffers(reader({ 'net/core/rmem_max': '212992\n' }))).toThrow(
    /at most 212992 bytes \(net\.core\.rmem_max\).* Run: sysctl -w net\.core\.rmem_max=4194304\.$/,
  )
  expect(socketBuffers(reader({ 'net/core/rmem_max': '8388608\n' }))).toContain('that they request')
})
