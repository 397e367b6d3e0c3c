import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { launch, type NetNamespace } from '../../src/sys/index.ts'
import { isRoot } from './rights.ts'

const run = promisify(execFile)

interface Said {
  stdout: string
  stderr: string
}

/** Runs a command in the namespace as root would from a shell. Rejects when its status is not 0. */
export async function inNamespace(namespace: NetNamespace, command: readonly string[]): Promise<Said> {
  if (isRoot) return await run('nsenter', [`--net=${namespace.path}`, ...command], { maxBuffer: 64 << 20 })
  return await launched(namespace, command)
}

/**
 * Runs as root of a rootless namespace. When the namespace is known by its path alone, nsenter(1) needs the
 * path of its user namespace too.
 */
async function launched(namespace: NetNamespace, command: readonly string[]): Promise<Said> {
  const script = 'PATH=/usr/sbin:/usr/bin:/sbin:/bin; exec "$@"'
  const args = ['-c', script, 'sh', ...command]
  const child = launch({ file: '/bin/sh', args, namespace, keepOutput: 64 << 20 })
  const { code, signal } = await child.exited
  const said = { stdout: child.stdout(), stderr: child.stderr() }
  if (code === 0) return said
  throw Object.assign(new Error(`${command.join(' ')}: ${signal ?? code}\n${said.stderr}`), { code, ...said })
}

/** The same for tools that print JSON: `ipJson(namespace, ['-d', 'link'])`. */
export async function ipJson<T = Record<string, unknown>>(
  namespace: NetNamespace,
  args: readonly string[],
): Promise<T[]> {
  const { stdout } = await inNamespace(namespace, ['ip', '-j', ...args])
  return JSON.parse(stdout || '[]')
}
