import { expect, test } from 'vitest'
import { clusterPlaces, places } from '../../../src/base/index.ts'

test('directories follow XDG where it is set, and are private to the user where it is not', () => {
  const xdg = { XDG_RUNTIME_DIR: '/run/user/7', XDG_STATE_HOME: '/s', XDG_CACHE_HOME: '/c', HOME: '/home/u' }
  expect(places(xdg, 7)).toEqual({
    runtime: '/run/user/7/xcluster',
    state: '/s/xcluster',
    cache: '/c/xcluster',
  })
  expect(places({ HOME: '/root' }, 0).runtime).toBe('/run/xcluster')
  expect(places({ HOME: '/home/u', TMPDIR: '/var/tmp' }, 7)).toEqual({
    runtime: '/var/tmp/xcluster-7',
    state: '/home/u/.local/state/xcluster',
    cache: '/home/u/.cache/xcluster',
  })
})

test('each cluster has its own directory, and a name that could leave it is refused', () => {
  const at = places({ HOME: '/root' }, 0)
  expect(clusterPlaces(at, 'a.b-1')).toMatchObject({
    lock: '/run/xcluster/a.b-1/lock',
    ownerLog: '/root/.local/state/xcluster/a.b-1/owner.log',
  })
  for (const name of ['', '..', '.a', 'a/b', 'a b', 'x'.repeat(33)])
    expect(() => clusterPlaces(at, name)).toThrow(`'${name}' is not a valid cluster name`)
})

test('a socket path longer than the kernel allows is refused', () => {
  const deep = places({ XDG_RUNTIME_DIR: `/${'d'.repeat(90)}` }, 0)
  expect(() => clusterPlaces(deep, 'default')).toThrow('at most 107 bytes')
})

test('a variable whose path is not absolute counts as not set', () => {
  const relative = {
    XDG_RUNTIME_DIR: 'run',
    XDG_STATE_HOME: './s',
    XDG_CACHE_HOME: 'c',
    HOME: '/home/u',
    TMPDIR: 't',
  }
  expect(places(relative, 7)).toEqual(places({ HOME: '/home/u' }, 7))
})
