import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect } from 'vitest'
import { type AgentClient, openAgent } from '../../../src/qmp/index.ts'
import { connectStream, launch } from '../../../src/sys/index.ts'
import { fetchedRoot } from '../../support/fetched.ts'
import { test } from '../../support/leaks.ts'

const files = ['/usr/sbin/qemu-ga', join(fetchedRoot, 'usr/sbin/qemu-ga')]
const file = files.find(existsSync) ?? ''

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'xcluster-test-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

/** Runs `work` with a new agent: the real qemu-ga, on this machine instead of in a guest, at a unix socket. */
async function withAgent(work: (agent: AgentClient, path: string) => Promise<void>): Promise<void> {
  const path = join(directory, 'agent')
  const process = launch({ file, args: ['-m', 'unix-listen', '-p', path, '-t', directory] })
  try {
    const agent = await openAgent(path, { peer: 'the agent' })
    await work(agent, path)
    await agent.close()
  } finally {
    process.kill('SIGKILL')
    await process.exited
  }
}

describe('real qemu-ga', () => {
  beforeEach(({ skip }) => skip(file === '', `neither ${files.join(' nor ')} exists`))

  test('qemu-ga answers commands, refuses unknown ones, and runs eight programs at once', () =>
    withAgent(async agent => {
      expect((await agent.execute('guest-info')).supported_commands).toContainEqual(
        expect.objectContaining({ name: 'guest-exec', enabled: true }),
      )
      await expect(agent.execute('guest-nonsense')).rejects.toMatchObject({ errorClass: 'CommandNotFound' })
      const outputs = await Promise.all([1, 2, 3, 4, 5, 6, 7, 8].map(n => agent.exec(['echo', `${n}`])))
      expect(outputs.map(({ stdout }) => Buffer.from(stdout).toString())).toEqual(
        [1, 2, 3, 4, 5, 6, 7, 8].map(n => `${n}\n`),
      )
    }))

  test('qemu-ga tells the time in nanoseconds, exactly', () =>
    withAgent(async agent => {
      const before = BigInt(Date.now()) * 1_000_000n
      const time = await agent.execute('guest-get-time')
      expect(typeof time).toBe('bigint')
      expect(BigInt(time) >= before).toBe(true)
      expect(BigInt(time) % 1000n).toBe(0n) // it has microseconds (qga/commands-posix.c)
    }))

  test('exec on qemu-ga passes input, outputs, status, signal and environment, and refuses a missing program', () =>
    withAgent(async agent => {
      const input = Uint8Array.from({ length: 100_000 }, (_, i) => i % 256)
      const copied = await agent.exec('cat; echo "$GREETING" >&2; exit 3', {
        input,
        env: { GREETING: 'hei' },
      })
      expect(copied.status).toBe(3)
      expect(Buffer.compare(copied.stdout, input)).toBe(0)
      expect(Buffer.from(copied.stderr).toString()).toBe('hei\n')
      expect(await agent.exec('kill -9 $$')).toMatchObject({ status: 137, signal: 9 })
      await expect(agent.exec(['/no/such/program'])).rejects.toThrow('No such file or directory')
      await expect(agent.exec(['sleep', '0.5'], { timeoutMs: 100 })).rejects.toMatchObject({
        code: 'QMP_TIMEOUT',
        outcome: 'unknown',
      })
    }))

  test('exec on qemu-ga returns the first 16 MiB of a longer output, marked as truncated', () =>
    withAgent(async agent => {
      const { stdout, truncated } = await agent.exec('head -c 20000000 /dev/zero')
      expect(stdout.length).toBe(16 << 20)
      expect(truncated).toEqual({ stdout: true, stderr: false })
    }))

  test('the client synchronises with qemu-ga after another client has sent half a command', () =>
    withAgent(async (agent, path) => {
      await agent.close()
      const other = await connectStream(path)
      other.receive({ data: () => {}, end: () => {} })
      other.send(Buffer.from('{"execute":"guest-pi'))
      await other.close()
      const next = await openAgent(path)
      await next.execute('guest-ping')
      await next.sync()
      expect(next.state).toBe('ready')
      await next.close()
    }))
})
