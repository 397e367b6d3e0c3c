import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { launch, type NetNamespace } from '../../src/sys/index.ts'
import { isRoot } from './rights.ts'

const run = promisify(execFile)

interface Output {
  stdout: string
  stderr: string
}

/** Runs a command in the namespace, as root there. Rejects when its status is not 0. */
export async function inNamespace(namespace: NetNamespace, command: readonly string[]): Promise<Output> {
  if (isRoot) return await run('nsenter', [`--net=${namespace.path}`, ...command], { maxBuffer: 64 << 20 })
  return await launched(namespace, command)
}

/** For a rootless namespace the launcher enters its user namespace, of which nsenter(1) would need the path. */
async function launched(namespace: NetNamespace, command: readonly string[]): Promise<Output> {
  const script = 'PATH=/usr/sbin:/usr/bin:/sbin:/bin; exec "$@"'
  const args = ['-c', script, 'sh', ...command]
  const child = launch({ file: '/bin/sh', args, namespace, keepOutput: 64 << 20 })
  const { code, signal } = await child.exited
  const output = { stdout: child.stdout(), stderr: child.stderr() }
  if (code === 0) return output
  const message = `${command.join(' ')}: ${signal ?? code}\n${output.stderr}`
  throw Object.assign(new Error(message), { code, ...output })
}

/** Runs ip(8) with JSON output: `ipJson(namespace, ['-d', 'link'])`. */
export async function ipJson<T = Record<string, unknown>>(
  namespace: NetNamespace,
  args: readonly string[],
): Promise<T[]> {
  const { stdout } = await inNamespace(namespace, ['ip', '-j', ...args])
  return JSON.parse(stdout || '[]')
}
