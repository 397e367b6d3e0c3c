import { closeSync, constants, existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { NetNamespace, openInNamespace } from '../../src/sys/index.ts'
import { inNamespace } from './namespace.ts'
import { descendants, markDescendants, openFds } from './processes.ts'
import { isRoot } from './rights.ts'
import { waitFor } from './wait.ts'

/**
 * The things that must be as before when a test is over. Sockets and ports have no entries of their own: each
 * is held by a file descriptor of this process or by a process below it, and both are counted.
 */
const kinds = ['process', 'fd', 'namespace', 'link', 'nft table', 'mount', 'file'] as const
type Kind = (typeof kinds)[number]
type Snapshot = Readonly<Record<Kind, readonly string[]>>

export interface CensusOptions {
  /**
   * Directories whose files count, at any depth: the runtime and state directories that the test uses.
   * Default: the one in the test's XDG_RUNTIME_DIR. /run is ignored, because other programs may use it.
   */
  readonly directories?: readonly string[]
}

export interface Census {
  /**
   * Waits until everything is as it was at the census. Throws the differences when that does not happen in
   * time.
   */
  expectUnchanged(options?: { withinMs?: number }): Promise<void>
}

/** Takes a census. It marks this process, so that everything it starts from now on can be recognized. */
export async function takeCensus(options: CensusOptions = {}): Promise<Census> {
  const directories = options.directories ?? ownRuntimeDirectory()
  markDescendants()
  const before = await count(directories)
  return {
    async expectUnchanged({ withinMs = 1000 } = {}) {
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
  const fds = openFds() // before this function opens others
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

/** This process's own namespace, those of its fds, and those of its children; each once. */
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
  if (!isRoot && (await isCurrent(namespace))) return [] // this user can neither list nor make its tables
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

/** Namespaces with a path, and mounts in the test's own directories. */
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

/** What was added, and what was removed of the things that a test must not remove. */
function compare(before: Snapshot, after: Snapshot): string[] {
  return kinds.flatMap(kind => {
    const came = after[kind].filter(line => !before[kind].includes(line)).map(line => `+ ${kind} ${line}`)
    if (kind === 'fd' || kind === 'process' || kind === 'namespace') return came
    const went = before[kind].filter(line => !after[kind].includes(line)).map(line => `- ${kind} ${line}`)
    return [...came, ...went]
  })
}
