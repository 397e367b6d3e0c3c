import { describe, expect, test } from 'vitest'
import { type PathUser, requireTrusted, type SeenPath } from '../../../src/base/index.ts'

const root = { uid: 0, gid: 0, mode: 0o755 }
const sticky = { uid: 0, gid: 0, mode: 0o1777 }
const mine = { uid: 1000, gid: 1000, mode: 0o700 }

function userOf(paths: Readonly<Record<string, SeenPath>>, uid = 1000, partlyMapped = false): PathUser {
  const all: Readonly<Record<string, SeenPath>> = { '/': root, '/run': root, '/tmp': sticky, ...paths }
  return { uid, partlyMapped, look: path => all[path] }
}

describe('a path whose components this user and root control is trusted', () => {
  test.each<[string, Record<string, SeenPath>]>([
    ['/run/user/1000/xcluster', { '/run/user': root, '/run/user/1000': mine }],
    ['/tmp/xcluster-1000', { '/tmp/xcluster-1000': mine }],
    ['/tmp/not/yet/made', {}],
    ['/home/u/.cache', { '/home': root, '/home/u': { ...mine, mode: 0o775 } }],
    ['/var/run/x', { '/var': root, '/var/run': { ...root, mode: 0o777, target: '/run' }, '/run/x': mine }],
    ['/tmp/a/b', { '/tmp/a': { ...mine, target: '../run' }, '/run/b': mine }],
  ])('%s', (path, paths) => {
    expect(() => requireTrusted('runtime', path, userOf(paths))).not.toThrow()
  })
})

describe('a path that another user could replace is refused, with the component and the reason', () => {
  test.each<[string, Record<string, SeenPath>, string, string]>([
    [
      '/tmp/p/xcluster',
      { '/tmp/p': { ...mine, mode: 0o777 } },
      '/tmp/p',
      'every user can write to it (mode 0777)',
    ],
    ['/tmp/p/xcluster', { '/tmp/p': { ...mine, uid: 7 } }, '/tmp/p', 'it belongs to another user (7)'],
    ['/tmp/p', { '/tmp/p': { ...mine, mode: 0o1777 } }, '/tmp/p', 'every user can write to it (mode 1777)'],
    ['/srv/p', { '/srv': { uid: 0, gid: 50, mode: 0o775 } }, '/srv', 'group 50 can write to it (mode 0775)'],
    [
      '/tmp/l/x',
      { '/tmp/l': { ...root, uid: 7, target: '/run' } },
      '/tmp/l',
      'it belongs to another user (7)',
    ],
    [
      '/tmp/l/x',
      { '/tmp/l': { ...mine, target: '/tmp/bad' }, '/tmp/bad': { ...mine, uid: 7 } },
      '/tmp/bad',
      '(7)',
    ],
    ['/tmp/l', { '/tmp/l': { ...mine, target: '/tmp/l' } }, '/tmp/l', 'in a circle'],
  ])('%s', (path, ...[paths, target, reason]) => {
    expect(() => requireTrusted('cache', path, userOf(paths))).toThrow(
      expect.objectContaining({
        code: 'PLACE_UNSAFE',
        kind: 'prerequisite',
        target,
        reason: expect.stringContaining(reason),
        remedy: expect.stringContaining('Set XDG_CACHE_HOME'),
      }),
    )
  })
})

test("root does not use a user's runtime directory, in which it would leave directories of its own", () => {
  const paths = { '/run/user': root, '/run/user/1000': mine }
  expect(() => requireTrusted('runtime', '/run/user/1000/xcluster', userOf(paths, 0))).toThrow(
    'use runtime directory /run/user/1000: it belongs to another user (1000)',
  )
})

test('in a user namespace that does not map root, its directories are trusted as before', () => {
  const unmapped = { uid: 65534, gid: 65534, mode: 0o755 }
  const paths = { '/': unmapped, '/run': unmapped, '/run/x': { uid: 0, gid: 0, mode: 0o700 } }
  expect(() => requireTrusted('state', '/run/x', userOf(paths, 0, true))).not.toThrow()
  expect(() => requireTrusted('state', '/run/x', userOf(paths, 0, false))).toThrow('(65534)')
})
