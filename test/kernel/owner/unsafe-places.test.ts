import { chmodSync, chownSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished } from 'vitest'
import { test } from '../../support/leaks.ts'
import { needsRoot } from '../../support/rights.ts'
import { oneSentence, Xc } from '../../support/xc.ts'

/** Another user's directory, or one that every user can write to. */
function directory(kind: 'foreign' | 'open'): string {
  const path = mkdtempSync(join(tmpdir(), 'xc-unsafe-'))
  onTestFinished(() => rmSync(path, { recursive: true, force: true }))
  if (kind === 'open') chmodSync(path, 0o777)
  mkdirSync(join(path, 'below'))
  if (kind === 'foreign') for (const each of [path, join(path, 'below')]) chownSync(each, 20_000, 20_000)
  return join(path, 'below')
}

test.for([
  {
    variable: 'XDG_RUNTIME_DIR',
    kind: 'open',
    commands: [['start'], ['status'], ['ls'], ['stop', '--all'], ['exec', '1', '--', 'true']],
  },
  {
    variable: 'XDG_RUNTIME_DIR',
    kind: 'foreign',
    commands: [['start'], ['status'], ['nsadd', '1'], ['logs', '1']],
  },
  { variable: 'XDG_STATE_HOME', kind: 'open', commands: [['start']] },
  { variable: 'XDG_STATE_HOME', kind: 'foreign', commands: [['start']] },
  { variable: 'XDG_CACHE_HOME', kind: 'open', commands: [['cache', 'list']] },
  { variable: 'XDG_CACHE_HOME', kind: 'foreign', commands: [['cache', 'import', '/dev/null']] },
] as const)(
  'xc refuses a $variable below a directory that is $kind to other users, and leaves nothing in it',
  async ({ variable, kind, commands }, { skip }) => {
    if (kind === 'foreign') needsRoot(skip)
    const xc = new Xc()
    const below = directory(kind)
    xc.env[variable] = below
    for (const command of commands) {
      const { status, stderr } = await xc.run(command)
      expect(stderr).toMatch(oneSentence)
      expect(stderr).toContain(
        kind === 'open' ? 'every user can write to it (mode 0777)' : 'it belongs to another user (20000)',
      )
      expect(stderr).toContain(`Set ${variable} to a directory of your own`)
      expect(status).toBe(4)
    }
    expect(readdirSync(below)).toEqual([])
    expect(await xc.run(['env'])).toMatchObject({ status: 0, stderr: '' })
  },
)

test('root does not clone from the templates of a cache that another user could have poisoned', async ({
  skip,
}) => {
  needsRoot(skip)
  const xc = new Xc()
  xc.env.XDG_CACHE_HOME = directory('foreign')
  const { status, stderr } = await xc.run(['start', '--nvm', '1', '--nrouters', '0'])
  expect(stderr).toMatch(/xc: use cache directory .*it belongs to another user \(20000\)/)
  expect(status).toBe(4)
  expect(readdirSync(xc.env.XDG_CACHE_HOME)).toEqual([])
})
