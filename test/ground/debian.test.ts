import { spawnSync } from 'node:child_process'
import { beforeEach, describe, expect, test } from 'vitest'
import { entering, groundEnv } from '../../scripts/ground/enter.js'
import { fetchGround } from '../../scripts/ground/fetch.js'
import { grounds } from '../../scripts/ground/grounds.js'
import { expectPass } from './inner.ts'

/** What depends on QEMU, on the guest's kernel and programs, and on the tools around them. */
const suites = [
  ...[
    'cluster/six-clones',
    'image/boot',
    'vm/template',
    'qmp/monitor',
    'qmp/agent',
    'qmp/schema',
    'rootless/session',
  ],
].map(name => `test/qemu/${name}.test.ts`)

describe.each(Object.keys(grounds))('on Debian %s, with its QEMU, kernel and tools,', name => {
  beforeEach(({ skip }) => {
    const why = whyNot()
    skip(why !== undefined, why)
  })

  test('clones, templates, guests, monitors and rootless clusters work', async () => {
    await fetchGround(name)
    const wrap = (vitest: readonly string[]) =>
      entering(name, ['node', ...vitest, '--project=qemu', ...suites])
    const { passed } = await expectPass([], wrap, groundEnv(process.env))
    expect(passed).toBeGreaterThan(40)
  })
})

function whyNot(): string | undefined {
  if (process.getuid!() !== 0) return 'it takes root to change the root directory'
  const missing = ['apt-get', 'dpkg-deb', 'pivot_root'].find(
    program => spawnSync(program, ['--version']).error,
  )
  return missing && `this machine has no ${missing}`
}
