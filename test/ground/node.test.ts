import { expect, test } from 'vitest'
import { fetchNode, nodeVersions } from '../../scripts/ground/node.js'
import { chosen } from '../support/rounds.ts'
import { expectPass } from './inner.ts'

// Each takes three minutes.
test.each(chosen(nodeVersions, nodeVersions.slice(-1)))(
  'the unit suites also pass on Node %s',
  async version => {
    const node = await fetchNode(version)
    const { NODE_OPTIONS: _, VITEST: _vitest, ...env } = process.env
    const { passed } = await expectPass(['--project=unit'], vitest => [node, ...vitest], env)
    expect(passed).toBeGreaterThan(500)
  },
)
