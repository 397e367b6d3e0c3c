// For node:test: the prepared cluster is kept on the disk. The file that PREPARATIONS names has a line for each preparation.
import assert from 'node:assert/strict'
import { appendFileSync } from 'node:fs'
import * as runner from 'node:test'
import { clusterTest } from 'xcluster/testing'

const { PREPARATIONS, OTHER } = process.env

async function prepare({ vm }) {
  appendFileSync(PREPARATIONS, 'prepared\n')
  await vm(1).succeed('echo kept >/root/mark')
}
const otherwise = async lab => {
  await prepare(lab)
}

const settings = { nvm: 1, nrouters: 0, smp: 1 }
const test = clusterTest(runner, settings, { snapshot: 'kept', prepare: OTHER ? otherwise : prepare })

test('begins with what was prepared', async ({ vm }) => {
  assert.equal(await vm(1).succeed('cat /root/mark'), 'kept\n')
  if (process.env.FAIL) assert.fail('as asked')
})
