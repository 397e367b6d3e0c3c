import { describe, expect, test } from 'vitest'
import { normalized } from '../../../src/cli/options/argv.ts'
import { clusterNameOf, openSession } from '../../../src/cli/session.ts'
import { nameIn, ownerAhead } from '../../../src/owner/ahead.ts'

describe('before the command line of a start is read', () => {
  test.each([
    [[], undefined],
    [['--nvm', '1', '--name', 'lab'], 'lab'],
    [['--name=lab', '--nvm', '1'], 'lab'],
    [['--name', 'first', '--name=last'], 'last'],
    [['--name'], undefined],
    [['--names', 'x', '--rename=y'], undefined],
  ])('the name in %j is taken for %s', (argv, name) => {
    expect(nameIn(argv)).toBe(name)
    if (name) expect(clusterNameOf(openSession({}), { name: nameIn(normalized(argv))! })).toBe(name)
  })

  test.each([
    [['--dry-run'], {}],
    [['--nvm', '1', '--help'], {}],
    [['-h'], {}],
    [['--name', 'not/a name'], {}],
    [[], { XCLUSTER_NAME: '../x' }],
    [['--name', 'x'], { XDG_RUNTIME_DIR: `/${'long'.repeat(30)}` }],
    [[], { XDG_STATE_HOME: '/dev/null/state' }],
  ])('%j with %j starts no owner', (argv, env) => {
    expect(ownerAhead(argv, env)).toBeUndefined()
  })
})
