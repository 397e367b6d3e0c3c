import { spawnSync } from 'node:child_process'
import { beforeEach, describe, expect, test } from 'vitest'
import { entering, groundEnv } from '../../scripts/ground/enter.js'
import { fetchGround } from '../../scripts/ground/fetch.js'
import { grounds } from '../../scripts/ground/grounds.js'
import { isShort } from '../support/rounds.ts'
import { expectPass } from './inner.ts'

/**
 * What depends on QEMU: how clones get their state and descriptors, and its protocol. CI runs no more on a Debian that is
 * not the newest.
 */
const ofQemu = ['cluster/six-clones', 'qmp/monitor', 'qmp/agent', 'qmp/schema']
/** What depends on the guest's kernel and programs, and on the tools around them. */
const ofGuests = ['image/boot', 'vm/template', 'rootless/session']
const newest = 'sid'

describe.each(Object.keys(grounds))('on Debian %s, with its QEMU, kernel and tools,', name => {
  const names = isShort && name !== newest ? ofQemu : [...ofQemu, ...ofGuests]
  const suites = names.map(each => `test/qemu/${each}.test.ts`)

  beforeEach(({ skip }) => {
    const why = whyNot()
    skip(why !== undefined, why)
  })

  test(`${names.join(', ')} pass`, async () => {
    await fetchGround(name)
    const wrap = (vitest: readonly string[]) =>
      entering(name, ['node', ...vitest, '--project=qemu', ...suites])
    const { passed } = await expectPass([], wrap, groundEnv(process.env))
    expect(passed).toBeGreaterThan(names.includes('image/boot') ? 40 : 14)
  })
})

function whyNot(): string | undefined {
  if (process.getuid!() !== 0) return 'it takes root to change the root directory'
  const missing = ['apt-get', 'dpkg-deb', 'pivot_root'].find(
    program => spawnSync(program, ['--version']).error,
  )
  return missing && `this machine has no ${missing}`
}
