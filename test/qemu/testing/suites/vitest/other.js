// For vitest: a test with the name of one in another file.
import * as vitest from 'vitest'
import { clusterTest } from 'xcluster/testing'

const test = clusterTest(vitest, { nvm: 1, nrouters: 0, smp: 1 })
test('fails', async () => vitest.expect('this').toBe('that'))
