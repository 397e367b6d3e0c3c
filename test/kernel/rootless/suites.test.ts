import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, expect } from 'vitest'
import { test } from '../../support/leaks.ts'
import { OrdinaryUser } from '../../support/ordinary-user.ts'

const user = new OrdinaryUser()
beforeEach(({ skip }) => {
  const why = user.whyNot()
  skip(why !== undefined, why)
})

interface Results {
  readonly passed: number
  readonly failed: number
  readonly skipped: readonly { readonly name: string; readonly reason: string }[]
}

/** Suites that any user can run. The others are about files and processes alone, or need root. */
const suites = [
  ...['sys/descriptors', 'sys/launch', 'sys/netlink-port', 'sys/tap', 'netlink/connection', 'support/leaks'],
  ...['rtnl/addresses', 'rtnl/failures', 'rtnl/links', 'rtnl/monitor', 'net/bridge-fabric', 'nft/judge'],
  ...['net/script/script', 'net/script/mtu', 'cluster-dns'],
].map(name => `test/kernel/${name}.test.ts`)

test('the kernel suites also pass for an unprivileged user', { timeout: 300_000 }, () => {
  const results = join(user.home, 'tmp', 'results.json')
  // `runner`: the project's folder need not be writable.
  const vitest = [
    'node',
    'node_modules/vitest/vitest.mjs',
    'run',
    '--project=kernel',
    '--configLoader=runner',
  ]
  const reporters = ['--reporter=dot', '--reporter=./scripts/test/reporter.js']
  user.env.XCLUSTER_TEST_RESULTS = results
  const { stdout, stderr } = user.run([...vitest, ...reporters, ...suites])
  const { passed, failed, skipped } = JSON.parse(readFileSync(results, 'utf8')) as Results
  expect(failed, `${stdout.slice(-6000)}${stderr.slice(-3000)}`).toBe(0)
  expect(passed).toBeGreaterThan(60)
  // The only tests skipped are those that need root, and what this kernel lacks for root too.
  for (const { reason } of skipped)
    expect(reason).toMatch(/root|^this kernel (has no|lacks|is older|was built without)/)
})
