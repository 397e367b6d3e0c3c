import * as vitest from 'vitest'
import { assertNoLeaks, clusterTest } from '../../../src/testing/index.ts'
import { type Census, takeCensus } from '../../support/leaks.ts'

const { afterAll, beforeAll, expect } = vitest
let census: Census

beforeAll(async () => {
  census = await takeCensus()
})

// Hooks run last to first, so that this one comes after that of the clusters.
afterAll(async () => {
  assertNoLeaks()
  await census.expectUnchanged()
})

let preparations = 0
const test = clusterTest(
  vitest,
  { nvm: 2, nrouters: 1, smp: 1 },
  {
    spare: 1,
    async prepare({ vm }) {
      preparations++
      await vm(1).succeed('echo prepared >/root/mark')
    },
  },
)

for (const turn of [1, 2])
  test(`test ${turn} of two begins with what was prepared, and not with what the other did`, async ({
    vm,
  }) => {
    expect(preparations).toBe(1)
    expect(await vm(1).succeed('cat /root/mark')).toBe('prepared\n')
    await vm(1).succeed('echo used >/root/mark')
    expect((await vm(1).get('/root/mark')).toString()).toBe('used\n')
  })

test('a test that rewinds goes on with what was prepared, as often as it likes', async ({
  vm,
  rewind,
  cluster,
}) => {
  await vm(1).succeed('echo used >/root/mark')
  for (const _ of [1, 2]) {
    const fresh = await rewind()
    expect(fresh.cluster).not.toBe(cluster)
    expect(await fresh.vm(1).succeed('cat /root/mark')).toBe('prepared\n')
    await fresh.vm(1).succeed('echo used again >/root/mark')
  }
  await expect(vm(1).succeed('true')).rejects.toThrow()
  await cluster[Symbol.asyncDispose]()
})

test('a node that is down does not answer, and a cluster that runs is found as left', async ({ vm }) => {
  await vm(2).succeed('ip link set eth1 down')
  await vm(1).fail('ping -c1 -W1 192.168.1.2')
  expect(() => assertNoLeaks()).toThrow(/this process still has .*qemu-system.*\/dev\/net\/tun/)
})

test('commands that should fail do, and those that should not are told', async ({ vm }) => {
  expect((await vm(2).fail('exit 4')).status).toBe(4)
  await expect(vm(2).fail('true')).rejects.toMatchObject({ code: 'COMMAND_SUCCEEDED', target: 'vm-002' })
  await expect(vm(2).succeed('exit 4')).rejects.toMatchObject({ code: 'EXEC_FAILED', target: 'vm-002' })
})

test('waits for what comes later: a port, a file, a command, a route, an answer, text in the console, a name', async ({
  vm,
  cluster,
}) => {
  const [one, two] = [vm(1), vm(2)]
  await one.succeed('(sleep 0.5; echo hello >/tmp/later; echo it has begun >/dev/console) >/dev/null 2>&1 &')
  await one.waitFor({ file: '/tmp/later' })
  await one.waitFor({ exec: 'grep -q hello /tmp/later' })
  await one.waitFor({ consoleText: 'it has begun' })
  await one.waitFor({ consoleText: /it has (begun|ended)/g })
  await two.succeed('(sleep 0.5; nc -l -p 5005) >/dev/null 2>&1 &')
  await two.waitFor({ port: 5005 })
  await one.succeed('echo | nc 192.168.1.2 5005') // the listener takes one connection
  await two.waitFor({ closedPort: 5005 })
  await one.succeed('(sleep 0.5; rm /tmp/later) >/dev/null 2>&1 &')
  await one.waitFor({ fails: ['test', '-e', '/tmp/later'] })
  await two.succeed(
    '(sleep 0.5; ip route add 10.7.0.0/16 via 192.168.1.1; ip -6 route add fd07::/64 via fd00::c0a8:101) &',
  )
  await two.waitFor({ route: '10.7.0.0/16' })
  await two.waitFor({ route: 'fd07::/64' })
  await two.waitFor({ ping: '192.168.1.1' })
  await two.waitFor({ ping: 'fd00::c0a8:101' })
  setTimeout(() => cluster.names.add({ name: 'late.test', type: 'A', data: '192.0.2.7' }), 300)
  await two.waitFor({ dns: 'late.test' })
})

test('a wait that ends in vain says what was there instead', async ({ vm, signal }) => {
  const soon = { timeoutMs: 300 }
  await expect(vm(1).waitFor({ port: 5006 }, soon)).rejects.toMatchObject({
    code: 'WAIT_TIMEOUT',
    message: expect.stringMatching(/^wait for TCP port 5006 on vm-001: .* 0\.3 s; last seen: it listens at /),
  })
  await expect(vm(1).waitFor({ route: '10.8.0.0/16' }, soon)).rejects.toMatchObject({
    reason: expect.stringContaining('192.168.1.0/24'),
  })
  await expect(vm(1).waitFor({ consoleText: 'never' }, soon)).rejects.toMatchObject({ code: 'WAIT_TIMEOUT' })
  await expect(vm(1).waitFor({ exec: 'echo not yet; exit 1' }, soon)).rejects.toMatchObject({
    reason: expect.stringContaining("status 1, 'not yet'"),
  })
  await expect(vm(1).waitFor({ fails: 'true' }, soon)).rejects.toMatchObject({
    reason: expect.stringContaining('status 0'),
  })
  const ending = new AbortController()
  const waiting = vm(1).waitFor({ file: '/never' }, { signal: AbortSignal.any([signal, ending.signal]) })
  ending.abort()
  await expect(waiting).rejects.toMatchObject({ code: 'WAIT_CANCELLED' })
})
