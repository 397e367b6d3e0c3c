import { describe, expect } from 'vitest'
import { type Cluster, prepareCluster } from '../../../src/index.ts'
import { test } from '../../support/leaks.ts'
import { waitFor } from '../../support/wait.ts'
import { said as saidWhole } from '../cluster/guest-state.ts'

const said = async (cluster: Cluster, node: number, command: string) =>
  (await saidWhole(cluster, node, command)).trim()

const small = { nvm: 2, nrouters: 1, smp: 1 }
const lines = 200

/** Node 2 sends numbers to node 1 over one TCP connection, for twenty seconds. */
async function beginTransfer(cluster: Cluster): Promise<void> {
  // Its standard input stays open: it would close its side of the connection at the end of that.
  const server = 'exec 3<>/tmp/open; nc -l -p 5000 <&3 >/tmp/received; touch /tmp/over'
  await cluster.exec(1, `mkfifo /tmp/open; (${server}) >/dev/null 2>&1 &`)
  const numbers = `for i in $(seq ${lines}); do echo $i; sleep 0.1; done`
  await cluster.exec(2, `(${numbers} | nc 192.168.1.1 5000) >/dev/null 2>&1 &`)
  const begun = async () => (await cluster.exec(1, 'test -s /tmp/received')).status === 0
  expect(await waitFor(begun, 20_000)).toBe(true)
}

test('forks go on from one moment, each by itself: files, processes and a TCP connection', async ({
  census,
}) => {
  await using lab = await prepareCluster(small, async cluster => {
    await cluster.exec(1, 'echo warm >/root/mark')
    await beginTransfer(cluster)
  })
  const forks = await Promise.all([lab.fork(), lab.fork()])
  const received = await Promise.all(forks.map(fork => said(fork, 1, 'cat /tmp/received')))
  for (const text of received) expect(text).not.toContain(`${lines}`)
  for (const fork of forks) {
    expect(await said(fork, 1, 'cat /root/mark')).toBe('warm')
    expect((await fork.checkReach()).filter(({ ok }) => !ok)).toEqual([])
    const over = async () => (await fork.exec(1, 'test -e /tmp/over')).status === 0
    expect(await waitFor(over, 60_000)).toBe(true)
    const numbers = Array.from({ length: lines }, (_, index) => `${index + 1}`)
    expect((await said(fork, 1, 'cat /tmp/received')).split('\n')).toEqual(numbers)
    const clock = Number(await said(fork, 2, 'date +%s'))
    expect(Math.abs(clock - Date.now() / 1000)).toBeLessThan(5)
  }
  const random = forks.map(fork => said(fork, 1, 'head -c 16 /dev/urandom | base64'))
  expect(new Set(await Promise.all(random)).size).toBe(2)
  const identity = 'hostname; cat /etc/machine-id /sys/class/net/eth*/address'
  const [one, other] = await Promise.all(forks.map(fork => said(fork, 1, identity)))
  expect(one).toBe(other)

  await forks[0]!.exec(1, 'rm /root/mark')
  await forks[0]!.stop()
  await using third = await lab.fork()
  expect(await said(third, 1, 'cat /root/mark')).toBe('warm')
  await third.reset([1])
  expect((await third.exec(1, 'test -e /root/mark')).status).toBe(1)
  await lab.dispose()
  await expect(lab.fork()).rejects.toMatchObject({ code: 'LAB_CLOSED' })
  await census.expectUnchanged()
})

test('a spare stands ready and goes on when a fork is asked for, and another takes its place', async ({
  census,
}) => {
  await using lab = await prepareCluster(
    small,
    async cluster => {
      await cluster.exec(1, 'date +%s >/root/frozen')
      await beginTransfer(cluster)
    },
    { spare: 1 },
  )
  for (let count = 0; count < 3; count++) {
    await using fork = await lab.fork()
    expect(fork.status().nodes.map(({ state }) => state)).toEqual(['ready', 'ready', 'ready'])
    const time = Number(await said(fork, 1, 'date +%s'))
    expect(time).toBeGreaterThanOrEqual(Number(await said(fork, 1, 'cat /root/frozen')))
    const got = async () => (await said(fork, 1, 'cat /tmp/received')).split('\n')
    const before = await got()
    expect(before).not.toContain(`${lines}`)
    expect(await waitFor(async () => (await got()).length > before.length + 5, 20_000)).toBe(true)
    const numbers = await got()
    expect(numbers).toEqual(Array.from(numbers, (_, index) => `${index + 1}`))
  }
  await lab.dispose()
  await census.expectUnchanged()
})

describe('a cluster that cannot be frozen says why, and nothing is left:', () => {
  test('a command runs in it', async ({ census }) => {
    const preparing = prepareCluster({ nvm: 1, nrouters: 0, smp: 1 }, async cluster => {
      await cluster.spawn(1, ['sleep', '60'])
    })
    await expect(preparing).rejects.toMatchObject({ code: 'NODE_BUSY', target: 'vm-001' })
    await census.expectUnchanged()
  })

  test('its preparation fails', async ({ census }) => {
    const preparing = prepareCluster({ nvm: 1, nrouters: 0, smp: 1 }, async cluster => {
      await cluster.exec(1, 'exit 3', { check: true })
    })
    await expect(preparing).rejects.toMatchObject({ code: 'EXEC_FAILED' })
    await census.expectUnchanged()
  })

  test('a node is paused', async ({ census }) => {
    const preparing = prepareCluster({ nvm: 1, nrouters: 0, smp: 1 }, cluster => cluster.pause())
    await expect(preparing).rejects.toMatchObject({ code: 'NODE_NOT_READY', reason: 'it is paused' })
    await census.expectUnchanged()
  })

  test('its network is in user space', async ({ census }) => {
    const preparing = prepareCluster({ nvm: 1, nrouters: 0, smp: 1, fabric: 'user' })
    await expect(preparing).rejects.toMatchObject({ code: 'CLUSTER_NOT_FREEZABLE' })
    await census.expectUnchanged()
  })
})

test('a cluster that boots its nodes can be frozen too', async ({ census }) => {
  await using lab = await prepareCluster({ nvm: 1, nrouters: 0, smp: 1, clone: 'off' })
  await using fork = await lab.fork()
  expect(await said(fork, 1, 'hostname')).toBe('vm-001')
  await lab.dispose()
  await census.expectUnchanged()
})
