import { fileURLToPath } from 'node:url'
import { beforeEach, expect } from 'vitest'
import { test } from '../../support/leaks.ts'
import { OrdinaryUser, type World } from '../../support/ordinary-user.ts'

const user = new OrdinaryUser()
beforeEach(({ skip }) => {
  const why = user.whyNot()
  skip(why !== undefined, why)
})

const script = fileURLToPath(new URL('./attempt.ts', import.meta.url)).replace(/^.*(?=test\/kernel)/, '')
const attempt = ['--import', 'jiti/register', script]

/** Tries to make a network and returns the outcome. `before` is a shell command that runs the attempt, `"$@"`. */
function attempted(world: World, before = 'exec "$@"') {
  const { status, stdout, stderr } = user.run(
    ['sh', '-euc', before, 'sh', process.execPath, ...attempt],
    world,
  )
  if (status !== 0) throw new Error(stderr)
  return JSON.parse(stdout) as { error?: { code: string; message: string }; left: number }
}

test('an unprivileged user who may create namespaces makes a network, and it goes again', () => {
  expect(attempted({})).toEqual({ left: 0 })
})

test('a tap device that only root may open is reported with a remedy, and nothing is left behind', () => {
  const { error, left } = attempted({ tunMode: '0600' })
  expect(error).toMatchObject({ code: 'TUN_DENIED', kind: 'prerequisite' })
  expect(error!.message).toContain('chmod 0666 /dev/net/tun')
  expect(left).toBe(0)
})

test('a system that forbids user namespaces is named as the cause', () => {
  const { error, left } = attempted({ chroot: true })
  expect(error).toMatchObject({ code: 'USER_NAMESPACES_DENIED', kind: 'prerequisite' })
  expect(error!.message).toContain("or run as root, or use `fabric: 'user'`")
  expect(left).toBe(0)
})

test.for(['max_user_namespaces', 'max_net_namespaces'])(
  'a reached limit of namespaces is reported by its name, %s',
  name => {
    // The limit is lowered in an outer user namespace. The attempt runs in an inner one, in which it is not
    // root.
    const lowered = `exec unshare --user --map-root-user sh -euc '
    echo ${name === 'max_user_namespaces' ? 1 : 0} >/proc/sys/user/${name}
    exec unshare --user --map-user=1000 --map-group=1000 "$@"' sh "$@"`
    const { error, left } = attempted({}, lowered)
    expect(error).toMatchObject({ code: 'NAMESPACE_LIMIT', kind: 'prerequisite' })
    expect(error!.message).toContain(`user.${name} is `)
    expect(left).toBe(0)
  },
)
