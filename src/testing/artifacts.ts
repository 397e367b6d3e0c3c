import { writeFile } from 'node:fs/promises'
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
 * Writes what is known of a cluster in which a test has failed into a new directory, which it returns: `status.json`,
 * `dns.json`, and for each node its console and answers to questions.
 */
export async function saveArtifacts(cluster: Cluster, { root, test }: ArtifactPlace): Promise<string> {
  const directory = join(root, fileName(test))
  makeDirectory(directory)
  const status = cluster.status()
  await writeJson(join(directory, 'status.json'), status)
  await writeJson(join(directory, 'dns.json'), (await cluster.counters()).dns ?? null)
  await Promise.all(status.nodes.map(({ id, name }) => saveNode(cluster, id, join(directory, name))))
  return directory
}

export interface ArtifactPlace {
  readonly root: string
  /** The test's name. */
  readonly test: string
}

/** A name of a test as that of a directory: 120 letters, digits and dashes of it. */
export function fileName(test: string): string {
  return (
    test
      .replace(/[^\p{L}\p{N}]+/gu, '-')
      .replace(/^-|-$/g, '')
      .slice(0, 120) || 'test'
  )
}

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
