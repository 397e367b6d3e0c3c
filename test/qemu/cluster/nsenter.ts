import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

/** What root sees from a shell in the namespace that `status` names; its standard output. */
export async function nsenter(netns: string, command: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)('nsenter', [`--net=${netns}`, ...command])
  return stdout
}
