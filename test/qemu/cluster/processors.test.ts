import { expect } from 'vitest'
import { startCluster } from '../../../src/index.ts'
import { test } from '../../support/leaks.ts'
import { said } from './guest-state.ts'

test("a clone's kernel threads stay on its first processor, and its programs may run on all", async () => {
  await using cluster = await startCluster({ nvm: 1, nrouters: 0, smp: 2, clone: 'always' })
  const maskOf = async (pid: string) => /mask: (\S+)/.exec(await said(cluster, 1, `taskset -p ${pid}`))?.[1]
  const threads = ['rcu_preempt', 'kswapd0', 'kcompactd0']
  for (const name of threads) expect(await maskOf(`$(pidof ${name})`), name).toBe('1')
  expect(await maskOf('$$')).toBe('3')
  await cluster.stop()
})

test('a clone has the files of its name and its machine-id from its template, empty until it is configured', async () => {
  await using cluster = await startCluster({ nvm: 2, nrouters: 0, clone: 'always' })
  // The template's files: every clone has them in the same inode. New ones would differ with what was made before.
  const inodes = await Promise.all(
    [1, 2].map(id => said(cluster, id, 'stat -c %i /etc/hostname /etc/machine-id')),
  )
  expect(inodes[0]).toBe(inodes[1])
  const before = await said(cluster, 1, 'touch /new; stat -c %i /new')
  for (const inode of inodes[0]!.trim().split('\n')) expect(Number(inode)).toBeLessThan(Number(before) - 1)
  await cluster.stop()
})
