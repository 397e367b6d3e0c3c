// For vitest: two tests with the same name, which fail, and one that passes.
import * as vitest from 'vitest'
import { clusterTest } from 'xcluster/testing'

const test = clusterTest(vitest, { nvm: 1, nrouters: 0, smp: 1 })
const fails = async () => vitest.expect('this').toBe('that')

vitest.describe('first', () => test('fails', fails))
test('fails', fails)
test('passes', async ({ vm }) => {
  await vm(1).succeed('true')
})
