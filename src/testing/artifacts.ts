import { existsSync } from 'node:fs'
import { readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { messageOf } from '../base/index.ts'
import type { Cluster } from '../cluster/index.ts'
import { makeDirectory } from '../sys/index.ts'

/** What each node is asked when a test has failed, by the names of the files. Programs that it lacks say so there. */
const questions = {
  'dmesg.txt': 'dmesg',
  'addresses.txt': 'ip addr',
  'routes.txt': 'ip rule; ip route show table all; ip -6 rule; ip -6 route show table all',
  'neighbours.txt': 'ip neigh',
  'sockets.txt': 'netstat -lnptu 2>&1 || ss -lnptu',
  'processes.txt': 'ps',
  'nft.txt': 'nft list ruleset',
} as const

/** How long one question may take, in milliseconds: the test has failed, perhaps because of this node. */
const questionMs = 5000

/**
 * Writes what is known of a cluster in which a test has failed into a directory: `status.json`, `dns.json`, and for each node
 * its console and answers to questions. Those of an earlier run there are removed. Returns the paths of the files.
 */
export async function saveArtifacts(cluster: Cluster, directory: string): Promise<string[]> {
  if (existsSync(join(directory, mark))) await rm(directory, { recursive: true })
  makeDirectory(directory)
  const status = cluster.status()
  await writeJson(join(directory, mark), status)
  await writeJson(join(directory, 'dns.json'), (await cluster.counters()).dns ?? null)
  await Promise.all(status.nodes.map(({ id, name }) => saveNode(cluster, id, join(directory, name))))
  const entries = await readdir(directory, { recursive: true, withFileTypes: true })
  return entries.flatMap(entry => (entry.isFile() ? [join(entry.parentPath, entry.name)] : [])).sort()
}

/** What every directory of artifacts has, and nothing else. */
const mark = 'status.json'

async function saveNode(cluster: Cluster, node: number, directory: string): Promise<void> {
  makeDirectory(directory)
  await writeFile(join(directory, 'console.txt'), tailOf(cluster, node))
  for (const [file, question] of Object.entries(questions))
    await writeFile(join(directory, file), await answer(cluster, node, question))
}

function tailOf(cluster: Cluster, node: number): Uint8Array | string {
  try {
    return cluster.console(node).tail()
  } catch (failure) {
    return `${messageOf(failure)}\n`
  }
}

/** A node that has failed answers nothing, and that is said. */
async function answer(cluster: Cluster, node: number, question: string): Promise<string> {
  try {
    const { stdout, stderr } = await cluster.exec(node, question, { encoding: 'utf8', timeoutMs: questionMs })
    return stdout + stderr
  } catch (failure) {
    return `${messageOf(failure)}\n`
  }
}

async function writeJson(path: string, value: unknown): Promise<void> {
  await writeFile(path, `${JSON.stringify(value, null, 2)}\n`)
}
