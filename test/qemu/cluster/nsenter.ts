import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

/** Runs a command as root in the namespace that `status` names. Resolves with its standard output. */
export async function nsenter(netns: string, command: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)('nsenter', [`--net=${netns}`, ...command])
  return stdout
}
