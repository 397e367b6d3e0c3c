import { expect } from 'vitest'
import { kernelLineLimit, kernelLineWith, memberWord } from '../../../src/base/index.ts'
import { startCluster } from '../../../src/index.ts'
import { smallestMiB } from '../../../src/plan/index.ts'
import { test } from '../../support/leaks.ts'

test('a node at its limits works: the least memory, 27 nets, and a kernel command line of all bytes', async () => {
  const append1 = `edge=${'x'.repeat(kernelLineLimit - kernelLineWith([memberWord, 'edge='], { emulated: true }).length)}`
  const nets1 = Array.from({ length: 27 }, (_, net) => net)
  await using cluster = await startCluster({
    nvm: 1,
    nrouters: 0,
    mem1: smallestMiB,
    nets1,
    append1,
    clone: 'off',
  })
  const { stdout } = await cluster.exec(1, 'wc -c </proc/cmdline; ls -d /sys/class/net/eth* | wc -l')
  // The kernel gives its command line a newline.
  expect(String(Buffer.from(stdout)).split('\n')).toEqual([`${kernelLineLimit + 1}`, '27', ''])
})

test('a clone with the least memory works, and so does what it is told to run', async () => {
  await using cluster = await startCluster({ nvm: 2, nrouters: 0, smp: 2, mem: smallestMiB, clone: 'always' })
  expect(cluster.status().nodes.every(({ milestones }) => !('kernel' in milestones))).toBe(true)
  const { status } = await cluster.exec(
    1,
    'modprobe -a ip_vs wireguard sctp && ping -q -c 3 -W 5 192.168.1.2',
  )
  expect(status).toBe(0)
})
