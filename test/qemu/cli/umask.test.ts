import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished } from 'vitest'
import { test } from '../../support/leaks.ts'
import { chosen } from '../../support/rounds.ts'
import { Xc } from '../../support/xc.ts'

const project = fileURLToPath(new URL('../../..', import.meta.url))
const fetched = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'xcluster/fetched')

// What others may read under 077, they may under 027.
test.each(chosen(['077', '027'], ['077']))(
  'a cluster starts when all of set-up and xc run under umask %s',
  async umask => {
    const cache = mkdtempSync(join(tmpdir(), 'xc-umask-'))
    onTestFinished(() => rmSync(cache, { recursive: true, force: true }))
    mkdirSync(join(cache, 'xcluster'))
    symlinkSync(fetched, join(cache, 'xcluster/fetched'))
    const xc = new Xc()
    const env = { ...xc.env, XDG_CACHE_HOME: cache }
    const under = (command: string) =>
      spawnSync('sh', ['-c', `umask ${umask}; ${command}`], { cwd: project, env, encoding: 'utf8' })
    const image = "import('./scripts/setup/guest.js').then(({ guestImage }) => guestImage().run(() => {}))"
    expect(under(`"${process.execPath}" -e "${image}"`)).toMatchObject({ status: 0 })
    const started = under(`"${process.execPath}" bin/xc.js start --nvm 1 --nrouters 0`)
    expect(started.stderr).not.toMatch(/cannot be read/)
    expect(started.status).toBe(0)
    await xc.good(['stop'])
  },
)
