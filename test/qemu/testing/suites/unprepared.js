// For node:test: the preparation fails.
import * as runner from 'node:test'
import { clusterTest } from 'xcluster/testing'

const prepare = async ({ vm }) => {
  await vm(1).succeed('echo no such thing >&2; exit 3')
}
const test = clusterTest(runner, { nvm: 1, nrouters: 0, smp: 1 }, { prepare })

test('is never begun', async () => {})
test('nor is this', async () => {})
