import { readFileSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import { type ClusterEvent, startCluster } from '../../../src/index.ts'
import { test } from '../../support/leaks.ts'
import { descendants } from '../../support/processes.ts'

/** The nodes boot, which leaves time to kill them. */
const small = { nvm: 2, nrouters: 0, smp: 1, clone: 'off' }

test('a node that cannot start fails the whole start with its reason, and leaves nothing behind', async ({
  census,
}) => {
  const logs = await mkdtemp(join(tmpdir(), 'xcluster-test-'))
  try {
    const events: ClusterEvent[] = []
    const options = { ...small, append2: 'rdinit=/nope' }
    const failed = startCluster(options, { logs, onEvent: event => events.push(event) })
    await expect(failed).rejects.toMatchObject({ code: 'GUEST_PANIC', target: 'vm-002' })
    expect(events).toContainEqual(expect.objectContaining({ type: 'node', id: 2, state: 'failed' }))
    expect(events).not.toContainEqual(expect.objectContaining({ type: 'node', id: 1, state: 'failed' }))
    expect(await readFile(join(logs, 'vm-002.log'), 'utf8')).toContain('Kernel panic')
  } finally {
    await rm(logs, { recursive: true })
  }
  await census.expectUnchanged()
})

test('a ready node that dies before the others are ready fails the whole start', async () => {
  const onEvent = (event: ClusterEvent) => {
    // The other node never finishes its boot.
    if (event.type === 'node' && event.id === 1 && event.state === 'ready') kill('vm-001')
  }
  const start = startCluster({ ...small, append2: 'rdinit=/bin/sleep -- 999' }, { onEvent })
  await expect(start).rejects.toMatchObject({ target: 'vm-001', reason: expect.stringContaining('SIGKILL') })
})

/** Kills the QEMU of that name that this test has started. */
function kill(name: string): void {
  const found = descendants().filter(({ pid }) =>
    readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes(`\0${name}\0`),
  )
  for (const { pid } of found) process.kill(pid, 'SIGKILL')
}

test('a start that is cancelled while nodes boot fails with START_CANCELLED and leaves nothing behind', async () => {
  const abort = new AbortController()
  const onEvent = (event: ClusterEvent) => {
    if (event.type === 'node' && event.state === 'booting') abort.abort()
  }
  const start = startCluster(small, { signal: abort.signal, onEvent })
  await expect(start).rejects.toMatchObject({ code: 'START_CANCELLED' })
})

test('a start that is cancelled before it begins starts no node', async () => {
  const events: ClusterEvent[] = []
  const start = startCluster(small, { signal: AbortSignal.abort(), onEvent: event => events.push(event) })
  await expect(start).rejects.toMatchObject({ code: 'START_CANCELLED' })
  expect(events.filter(event => event.type === 'node')).toEqual([])
})

test('a start that exceeds its time limit names the nodes that are not ready', async () => {
  const start = startCluster({ ...small, append: 'panic=0 rdinit=/bin/sleep -- 999' }, { timeoutMs: 4000 })
  await expect(start).rejects.toMatchObject({
    code: 'START_TIMEOUT',
    reason: expect.stringMatching(/^not ready after 4 s: vm-001 is (starting|booting), vm-002 is/),
  })
})

test.for([
  [{ mem: 1 << 20 }, 'NOT_ENOUGH_MEMORY'],
  [{ kvm: '/nonexistent/qemu' }, 'QEMU_MISSING'],
  [{ kernel: '/nonexistent/kernel' }, 'KERNEL_MISSING'],
  [{ topology: 'ring' }, 'UNKNOWN_TOPOLOGY'],
  [{ nvm: 201 }, 'BAD_SETTING'],
] as const)('a start with %j is refused at once', async ([options, code]) => {
  await expect(startCluster({ ...small, ...options })).rejects.toMatchObject({ code })
})
