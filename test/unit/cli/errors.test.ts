import { describe, expect, test } from 'vitest'
import { type ErrorKind, RemoteError, XclusterError } from '../../../src/base/index.ts'
import { explain, statusOf } from '../../../src/cli/errors.ts'
import { asTyped, ourName } from '../../../src/cli/program-name.ts'

const failure = (kind: ErrorKind) =>
  new XclusterError({ code: 'A', kind, op: 'create bridge', target: 'xcbr0', reason: 'File exists' })

test.each([
  ['failed', 1],
  ['usage', 2],
  ['missing', 3],
  ['prerequisite', 4],
] as const)('an error of kind %s has exit status %i', (kind, status) => {
  expect(statusOf(failure(kind))).toBe(status)
  expect(statusOf(new TypeError('x'))).toBe(1)
})

describe('xc prints errors for users:', () => {
  test('an error is one sentence', () => {
    expect(explain(failure('failed'), false)).toBe('xc: create bridge xcbr0: File exists.\n')
  })

  test('an error with a remedy ends with the remedy', () => {
    const known = new XclusterError({
      code: 'A',
      reason: 'no QEMU',
      remedy: 'Run: apt-get install qemu-system-x86',
    })
    expect(explain(known, false)).toBe('xc: no QEMU. Run: apt-get install qemu-system-x86.\n')
  })

  test('the commands in a remedy can be typed as they are: npx xc where xc is not installed', () => {
    const remedy = 'Stop it with `xc stop --name a`, or see (xc ls), or use the xc that made it'
    expect(asTyped(remedy, 'npx xc')).toBe(
      'Stop it with `npx xc stop --name a`, or see (npx xc ls), or use the xc that made it',
    )
    expect(asTyped('See: xc --help', 'npx xc')).toBe('See: npx xc --help')
    expect(asTyped(asTyped(remedy, 'npx xc'), 'npx xc')).toBe(asTyped(remedy, 'npx xc'))
    expect(asTyped(remedy, 'xc')).toBe(remedy)
    expect(asTyped('/opt/xc file', 'npx xc')).toBe('/opt/xc file')
  })

  test.each([
    ['/usr/local/bin/xc', 'xc'],
    ['/home/me/project/node_modules/.bin/xc', 'npx xc'],
    ['/home/me/xcluster/bin/xc.js', 'npx xc'],
    [undefined, 'xc'],
  ])('a program that Node runs from %s is called %s', (script, name) => {
    expect(ourName(script)).toBe(name)
  })

  test('an unexpected error is reported as internal, without its stack', () => {
    const text = explain(new TypeError('x is not a function'), false)
    expect(text).toBe(
      'xc: internal error: x is not a function. Run it again with --debug and report what it prints.\n',
    )
  })

  test('--debug adds the code, the stack, the cause and the stack in the owner', () => {
    const remote = new RemoteError({
      ...{ code: 'B', kind: 'failed', message: 'm', reason: 'r', stack: 'there.ts:7' },
    })
    const text = explain(remote, true)
    expect(text).toContain('[B]')
    expect(text).toContain('in the owner: there.ts:7')
    expect(explain(new Error('outer', { cause: new Error('inner') }), true)).toMatch(
      /outer.*caused by: .*inner/s,
    )
  })
})

test('xc prints options and commands for what a remedy names, and leaves the words of guests alone', () => {
  const error = new XclusterError({
    code: 'X',
    op: 'run',
    target: 'vm-001',
    reason: 'the guest said `mtu`',
    remedy: "Use `fabric: 'user'`, or resume it: `resume([2])`",
  })
  expect(explain(error, false)).toMatch(
    /^xc: run vm-001: the guest said `mtu`\. Use --fabric user, or resume it: (npx )?xc resume 2\.\n$/,
  )
})
