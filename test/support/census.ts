import { closeSync, constants, existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { NetNamespace, openInNamespace } from '../../src/sys/index.ts'
import { inNamespace } from './namespace.ts'
import { descendants, markDescendants, openFds } from './processes.ts'
import { isRoot } from './rights.ts'
import { waitFor } from './wait.ts'

/**
 * What must be the same after a test as before it. Sockets and ports are not counted themselves: each is held by a
 * file descriptor of this process or by one of its descendants, which are both counted.
 */
const kinds = ['process', 'fd', 'namespace', 'link', 'nft table', 'mount', 'file'] as const
type Kind = (typeof kinds)[number]
type Snapshot = Readonly<Record<Kind, readonly string[]>>

export interface CensusOptions {
  /**
   * Directories whose files are counted, with their subdirectories: the test's runtime and state directories. By
   * default the one in its own XDG_RUNTIME_DIR. /run is not counted, because other programs change it.
   */
  readonly directories?: readonly string[]
}

export interface Census {
  /** Waits until everything is as when the census was taken. Throws with the differences after 10 s. */
  expectUnchanged(options?: { withinMs?: number }): Promise<void>
}

/** Counts the current state. Marks this process, so that the processes that it starts from now on can be recognised. */
export async function takeCensus(options: CensusOptions = {}): Promise<Census> {
  const directories = options.directories ?? ownRuntimeDirectory()
  markDescendants()
  const before = await count(directories)
  return {
    async expectUnchanged({ withinMs = 10_000 } = {}) {
      let differences: string[] = []
      const clean = await waitFor(async () => {
        differences = compare(before, await count(directories))
        return differences.length === 0
      }, withinMs)
      if (!clean) throw new Error(`not as before after ${withinMs} ms:\n  ${differences.join('\n  ')}`)
    },
  }
}

async function count(directories: readonly string[]): Promise<Snapshot> {
  const fds = openFds() // before this function opens some itself
  const processes = descendants()
  const namespaces = await reachableNamespaces(processes.map(({ pid }) => pid))
  try {
    const links = namespaces.flatMap(namespace => linksOf(namespace))
    const tables = await Promise.all(namespaces.map(tablesOf))
    return {
      process: processes.map(({ pid, command, startTime }) => `${command} ${pid} (started at ${startTime})`),
      fd: Array.from(fds, ([fd, target]) => `${fd} → ${target}`),
      namespace: namespaces.map(({ inode }) => `net:[${inode}]`),
      link: links,
      'nft table': tables.flat(),
      mount: mountsOf(directories),
      file: directories.flatMap(filesIn),
    }
  } finally {
    for (const namespace of namespaces) await namespace.close()
  }
}

/** This process's namespace, those that its file descriptors hold open, and those of its descendants; each once. */
async function reachableNamespaces(pids: readonly number[]): Promise<NetNamespace[]> {
  const held = Array.from(openFds()).filter(([, target]) => target.startsWith('net:['))
  const paths = [...held.map(([fd]) => `/proc/self/fd/${fd}`), ...pids.map(pid => `/proc/${pid}/ns/net`)]
  const found = [NetNamespace.current()]
  for (const path of paths) {
    const namespace = openIfThere(path)
    if (namespace && found.every(({ inode }) => inode !== namespace.inode)) found.push(namespace)
    else await namespace?.close()
  }
  return found
}

function openIfThere(path: string): NetNamespace | undefined {
  try {
    return NetNamespace.open(path)
  } catch {
    return undefined // its process has ended meanwhile
  }
}

function linksOf(namespace: NetNamespace): string[] {
  const fd = openInNamespace(namespace, '/proc/thread-self/net/dev', constants.O_RDONLY)
  try {
    const names = readFileSync(fd, 'utf8').matchAll(/^\s*(\S+?):/gm)
    return Array.from(names, ([, name]) => `${name} in net:[${namespace.inode}]`)
  } finally {
    closeSync(fd)
  }
}

async function tablesOf(namespace: NetNamespace): Promise<string[]> {
  if (!isRoot && (await isCurrent(namespace))) return [] // an unprivileged user can neither see nor make tables there
  const { stdout } = await inNamespace(namespace, ['nft', 'list', 'tables'])
  return stdout
    .trim()
    .split('\n')
    .filter(Boolean)
    .map(table => `${table} in net:[${namespace.inode}]`)
}

async function isCurrent({ inode }: NetNamespace): Promise<boolean> {
  await using current = NetNamespace.current()
  return inode === current.inode
}

/** Namespaces that are mounted on a path, and all mounts in the test's own directories. */
function mountsOf(directories: readonly string[]): string[] {
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8').trim().split('\n')
  return mounts.filter(line => {
    const place = line.split(' ')[4]!
    return line.includes(' - nsfs ') || directories.some(directory => `${place}/`.startsWith(`${directory}/`))
  })
}

function ownRuntimeDirectory(): string[] {
  const { XDG_RUNTIME_DIR } = process.env
  return XDG_RUNTIME_DIR ? [join(XDG_RUNTIME_DIR, 'xcluster')] : []
}

function filesIn(directory: string): string[] {
  if (!existsSync(directory)) return []
  return readdirSync(directory).flatMap(name => {
    const path = join(directory, name)
    return [path, ...(statSync(path, { throwIfNoEntry: false })?.isDirectory() ? filesIn(path) : [])]
  })
}

/** What was added, and what was removed of the kinds that a test must not remove. */
function compare(before: Snapshot, after: Snapshot): string[] {
  return kinds.flatMap(kind => {
    const added = after[kind].filter(line => !before[kind].includes(line)).map(line => `+ ${kind} ${line}`)
    if (kind === 'fd' || kind === 'process' || kind === 'namespace') return added
    const removed = before[kind].filter(line => !after[kind].includes(line)).map(line => `- ${kind} ${line}`)
    return [...added, ...removed]
  })
}
