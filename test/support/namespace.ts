import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { NetNamespace } from '../../src/sys/index.ts'

const run = promisify(execFile)

/** Runs a command as root would from a shell in the namespace; rejects when its status is not 0. */
export function inNamespace(
  namespace: NetNamespace,
  command: readonly string[],
): Promise<{ stdout: string; stderr: string }> {
  return run('nsenter', [`--net=${namespace.path}`, ...command], { maxBuffer: 64 << 20 })
}

/** The same for the tools that speak JSON: `ipJson(namespace, ['-d', 'link'])`. */
export async function ipJson<T = Record<string, unknown>>(
  namespace: NetNamespace,
  args: readonly string[],
): Promise<T[]> {
  const { stdout } = await inNamespace(namespace, ['ip', '-j', ...args])
  return JSON.parse(stdout || '[]')
}
