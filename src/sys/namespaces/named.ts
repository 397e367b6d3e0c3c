import { closeSync, mkdirSync, openSync, readdirSync, statfsSync, statSync, unlinkSync } from 'node:fs'
import { isSystemError } from '../../base/index.ts'
import { binding } from '../binding.ts'
import { MS_BIND, MS_REC, MS_SHARED, NSFS_MAGIC } from '../constants.ts'
import { attempt, SysError } from '../errors.ts'
import { NetNamespace } from './namespace.ts'

/** Where `ip netns` keeps the names: a file each, with the namespace mounted on it (ip-netns(8)). */
const directory = '/run/netns'

const namePattern = /^[A-Za-z0-9_][\w.@-]{0,63}$/

/** Where the namespace of that name is, for `nsenter --net=<path>`. */
export function namedPath(name: string): string {
  if (namePattern.test(name)) return `${directory}/${name}`
  const reason = 'it has 1 to 64 letters, digits, dots, dashes or underscores'
  throw failure({ code: 'BAD_NAMESPACE_NAME', kind: 'usage', op: 'name', target: name, reason })
}

/** The names there are, sorted; a file without a namespace is none. `ip netns list` */
export function namespaceNames(): string[] {
  return filesThere().filter(name => namePattern.test(name) && isNamespace(`${directory}/${name}`))
}

/** The name of a namespace, if it has one. `ip netns identify` */
export function nameOf({ inode }: Pick<NetNamespace, 'inode'>): string | undefined {
  return namespaceNames().find(name => statSync(namedPath(name)).ino === inode)
}

/** Opens the namespace of that name; throws NAMESPACE_MISSING when there is none. */
export function openNamed(name: string): NetNamespace {
  const path = namedPath(name)
  if (isNamespace(path)) return NetNamespace.open(path)
  const reason = 'there is none of that name'
  const remedy = 'See which ones there are: ip netns'
  throw failure({ code: 'NAMESPACE_MISSING', kind: 'missing', op: 'open', target: name, reason, remedy })
}

/** Gives a namespace a name, under which it stays when nobody is in it or holds it. `ip netns attach <name>` */
export function nameNamespace(namespace: NetNamespace, name: string): void {
  const path = namedPath(name)
  makeDirectory()
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

/** Takes the name away; the namespace goes when the last one leaves it. `ip netns delete <name>` */
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

/** A mount of its own that other mount namespaces see too: what is named in one of them is known in all. */
function makeDirectory(): void {
  mkdirSync(directory, { recursive: true, mode: 0o755 })
  const share = () => binding().mount('', directory, MS_SHARED | MS_REC)
  attempt('share', directory, () => {
    try {
      share()
    } catch (thrown) {
      if ((thrown as { errno?: number }).errno !== 22) throw thrown // EINVAL: it is no mount yet
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
    const reason = 'there is one of that name'
    const remedy = `Remove it first (xc nsdel, or ip netns delete ${name})`
    throw failure({ code: 'NAMESPACE_EXISTS', op: 'create', target: name, reason, remedy })
  }
}

function failure(details: ConstructorParameters<typeof SysError>[0]): SysError {
  return new SysError({ ...details, op: `${details.op} network namespace` })
}
