import { closeSync, openSync, readdirSync, statfsSync, statSync, unlinkSync } from 'node:fs'
import { isSystemError } from '../../base/index.ts'
import { binding } from '../binding.ts'
import { MS_BIND, MS_REC, MS_SHARED, NSFS_MAGIC } from '../constants.ts'
import { attempt, SysError } from '../errors.ts'
import { makeDirectory } from '../files/directory.ts'
import { NetNamespace } from './namespace.ts'

/**
 * The directory in which `ip netns` keeps names: one file each, with the namespace mounted on it
 * (ip-netns(8)).
 */
const directory = '/run/netns'

const namePattern = /^[A-Za-z0-9_][\w.@-]{0,63}$/

/** The path of the namespace `name`, for `nsenter --net=<path>`. Throws BAD_NAMESPACE_NAME. */
export function namedPath(name: string): string {
  if (namePattern.test(name)) return `${directory}/${name}`
  const reason = 'a name has 1 to 64 letters, digits, dots, dashes or underscores'
  throw failure({ code: 'BAD_NAMESPACE_NAME', kind: 'usage', op: 'name', target: name, reason })
}

/**
 * The names of all named network namespaces, sorted. A file without a namespace mounted on it does not count.
 * `ip netns list`
 */
export function namespaceNames(): string[] {
  return filesThere().filter(name => namePattern.test(name) && isNamespace(`${directory}/${name}`))
}

/** The name of a namespace, if it has one. `ip netns identify` */
export function nameOf({ inode }: Pick<NetNamespace, 'inode'>): string | undefined {
  return namespaceNames().find(name => statSync(namedPath(name)).ino === inode)
}

/** Opens the namespace `name`. Throws NAMESPACE_MISSING when it does not exist. The caller closes it. */
export function openNamed(name: string): NetNamespace {
  const path = namedPath(name)
  if (isNamespace(path)) return NetNamespace.open(path)
  const reason = 'no network namespace has this name'
  const remedy = 'List the names that exist: ip netns'
  throw failure({ code: 'NAMESPACE_MISSING', kind: 'missing', op: 'open', target: name, reason, remedy })
}

/**
 * Names a namespace, which keeps it alive without a process or file descriptor. Throws NAMESPACE_EXISTS.
 * `ip netns attach <name>`
 */
export function nameNamespace(namespace: NetNamespace, name: string): void {
  const path = namedPath(name)
  shareDirectory()
  attempt('name network namespace', name, () => closeSync(createFile(path, name)))
  try {
    attempt('name network namespace', name, () =>
      binding().mount(`/proc/self/fd/${namespace.fd}`, path, MS_BIND),
    )
  } catch (thrown) {
    unlinkSync(path)
    throw thrown
  }
}

/**
 * Removes the name. The namespace goes when the last process in it ends and the last fd to it is closed.
 * `ip netns delete <name>`
 */
export function unnameNamespace(name: string): void {
  const path = namedPath(name)
  attempt('remove network namespace', name, () => binding().unmount(path))
  attempt('remove network namespace', name, () => unlinkSync(path))
}

function filesThere(): string[] {
  try {
    return readdirSync(directory).sort()
  } catch (thrown) {
    if (isSystemError(thrown, 'ENOENT')) return []
    throw thrown
  }
}

function isNamespace(path: string): boolean {
  try {
    return statfsSync(path).type === NSFS_MAGIC
  } catch (thrown) {
    if (isSystemError(thrown, 'ENOENT')) return false
    throw thrown
  }
}

/** Makes the directory a shared mount, so that a name given in one mount namespace is known in all. */
function shareDirectory(): void {
  makeDirectory(directory, 0o755)
  const share = () => binding().mount('', directory, MS_SHARED | MS_REC)
  attempt('share', directory, () => {
    try {
      share()
    } catch (thrown) {
      if ((thrown as { errno?: number }).errno !== 22) throw thrown // EINVAL: it is not a mount yet
      binding().mount(directory, directory, MS_BIND | MS_REC)
      share()
    }
  })
}

function createFile(path: string, name: string): number {
  try {
    return openSync(path, 'wx', 0o444)
  } catch (thrown) {
    if (!isSystemError(thrown, 'EEXIST')) throw thrown
    const reason = 'a network namespace has this name already'
    const remedy = `Remove it first: ip netns delete ${name}`
    throw failure({ code: 'NAMESPACE_EXISTS', op: 'create', target: name, reason, remedy })
  }
}

function failure(details: ConstructorParameters<typeof SysError>[0]): SysError {
  return new SysError({ ...details, op: `${details.op} network namespace` })
}
