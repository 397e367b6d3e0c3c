import { expect, test } from 'vitest'
import { fetchNode, nodeVersions } from '../../scripts/ground/node.js'
import { expectPass } from './inner.ts'

/** CI runs the newest: each takes three minutes. */
const versions = process.env.CI ? nodeVersions.slice(-1) : nodeVersions

test.each(versions)('the unit suites also pass on Node %s', async version => {
  const node = await fetchNode(version)
  const { NODE_OPTIONS: _, VITEST: _vitest, ...env } = process.env
  const { passed } = await expectPass(['--project=unit'], vitest => [node, ...vitest], env)
  expect(passed).toBeGreaterThan(500)
})
