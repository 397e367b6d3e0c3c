// For vitest: the process of the file is killed while two forks run and a spare stands still.
import * as vitest from 'vitest'
import { clusterTest } from 'xcluster/testing'

const test = clusterTest(vitest, { nvm: 1, nrouters: 0, smp: 1 }, { spare: 1 })

test('holds two forks', async ({ vm, rewind }) => {
  await vm(1).succeed('true')
  await rewind()
  process.kill(process.pid, 'SIGKILL')
  await new Promise(() => {})
})
