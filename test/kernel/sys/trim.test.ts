import { spawnSync } from 'node:child_process'
import { expect } from 'vitest'
import { qemuPreloadPath } from '../../../src/sys/index.ts'
import { test } from '../../support/leaks.ts'

// In pieces of 64 KiB, each beside one that stays, so that glibc cannot give them back by itself.
const program = `
import ctypes, json, time
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
libc.free.argtypes = [ctypes.c_void_p]
resident = lambda: int(open('/proc/self/statm').read().split()[1]) * 4 // 1024
pieces = [libc.malloc(65536) for _ in range(1000)]
for piece in pieces: ctypes.memset(piece, 1, 65536)
full = resident()
for piece in pieces[::2]: libc.free(piece)
answers = {libc.malloc_trim(0) for _ in range(100)}
threads = int([line for line in open('/proc/self/status') if line.startswith('Threads')][0].split()[1])
at_once = resident()
deadline = time.monotonic() + 20
while resident() > full - 25 and time.monotonic() < deadline: time.sleep(0.05)
print(json.dumps({'answers': list(answers), 'threads': threads, 'kept': at_once > full - 5, 'given': resident() <= full - 25}))
`

test('what QEMU loads makes a hundred calls of malloc_trim one, later', () => {
  const env = { LD_PRELOAD: qemuPreloadPath() }
  const { stdout, stderr } = spawnSync('/usr/bin/python3', ['-c', program], { env, encoding: 'utf8' })
  expect(stderr).toBe('')
  expect(JSON.parse(stdout)).toEqual({ answers: [0], threads: 2, kept: true, given: true })
})
