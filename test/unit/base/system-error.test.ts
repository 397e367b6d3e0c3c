import { mkdirSync, openSync, writeSync } from 'node:fs'
import { expect, test } from 'vitest'
import { errorToJson, systemFailure } from '../../../src/base/index.ts'

/** What Node throws for these. */
function thrownBy(call: () => unknown): NodeJS.ErrnoException {
  try {
    call()
  } catch (failure) {
    return failure as NodeJS.ErrnoException
  }
  throw new Error('it did not throw')
}

const made = (code: string, errno: number, [syscall, path]: readonly [string, string?]) =>
  Object.assign(new Error(`${code}: text, ${syscall}`), {
    code,
    errno: -errno,
    syscall,
    ...(path && { path }),
  })

test.each([
  [
    made('EROFS', 30, ['mkdir', '/run/x']),
    /^make directory \/run\/x: Read-only file system\. Use directories/,
  ],
  [
    made('EACCES', 13, ['open', '/x/lock']),
    /^open \/x\/lock: Permission denied\. Use directories that you may write/,
  ],
  [made('EMFILE', 24, ['open', '/dev/null']), /^open \/dev\/null: Too many open files\. Allow .*ulimit -n/],
  [made('EDQUOT', 122, ['write']), /^write a file: Disk quota exceeded\. Free some space/],
])(
  '%o of Node becomes a sentence about what was being done, why it failed and what to do',
  (failure, words) => {
    const error = systemFailure(failure)
    expect(error).toMatchObject({ code: 'SYSTEM_REFUSED', kind: 'prerequisite', cause: failure })
    expect(error?.message).toMatch(words)
    expect(errorToJson(failure)).toMatchObject({ code: 'SYSTEM_REFUSED', kind: 'prerequisite' })
  },
)

test('failures of real system calls become such sentences', () => {
  const full = openSync('/dev/full', 'w')
  expect(systemFailure(thrownBy(() => writeSync(full, 'x')))?.message).toMatch(
    /^write a file: No space left on device\. Free some space/,
  )
  expect(systemFailure(thrownBy(() => mkdirSync('/dev/null/x')))?.message).toMatch(
    /^make directory \/dev\/null\/x: Not a directory\./,
  )
})

test('other failures are faults of the program, and stay as they are', () => {
  for (const failure of [new TypeError('x'), made('ENOENT', 2, ['open', '/x']), 'EACCES', undefined])
    expect(systemFailure(failure)).toBeUndefined()
})
