import { existsSync, readFileSync } from 'node:fs'
import { isSyscallFailure, refused, type SyscallFailure, SysError } from '../errors.ts'

const op = 'create'
const target = 'network namespace'

/**
 * Why there is no further namespace, and who could allow it. Whatever the reason, nothing is left of the attempt: who
 * tried was a process of its own.
 */
export function explainBirth(failure: unknown, rootless: boolean): unknown {
  if (!isSyscallFailure(failure)) return failure
  const known = refused(op, target, failure)
  const about = { kind: 'prerequisite', op, target, errno: failure.errno, syscall: failure.syscall } as const
  if (known.errnoName === 'ENOSPC' || known.errnoName === 'EUSERS')
    return new SysError({ ...about, code: 'NAMESPACE_LIMIT', ...limitOf(rootless), cause: failure })
  if (!rootless) return known
  return new SysError({ ...about, code: 'USER_NAMESPACES_DENIED', ...denialOf(failure), cause: failure })
}

/** namespaces(7): counted for each user, in this user namespace and in all above it. */
function limitOf(rootless: boolean): { reason: string; remedy: string } {
  const names = rootless ? ['max_net_namespaces', 'max_user_namespaces'] : ['max_net_namespaces']
  const limits = names.map(name => `user.${name} is ${setting(`user/${name}`) ?? 'unknown'}`)
  const reason = `this user may have no more of them (${limits.join(', ')}; a container above may allow less)`
  return { reason, remedy: `Stop another cluster, or raise the limit: sysctl -w user.${names[0]}=…` }
}

interface Denial {
  readonly when: (failure: SyscallFailure) => boolean
  readonly reason: string
  readonly remedy: string
}

const asRoot = 'or run as root, or use --fabric user'

/** Who is known to forbid it, the surest first. */
const denials: readonly Denial[] = [
  {
    when: () => setting('kernel/unprivileged_userns_clone') === '0',
    reason: 'this system forbids user namespaces to ordinary users (kernel.unprivileged_userns_clone is 0)',
    remedy: `Allow them: sysctl -w kernel.unprivileged_userns_clone=1, ${asRoot}`,
  },
  {
    when: () => setting('kernel/apparmor_restrict_unprivileged_userns') === '1',
    reason:
      'AppArmor forbids user namespaces to ordinary users (kernel.apparmor_restrict_unprivileged_userns is 1)',
    remedy: `Give Node's program an AppArmor profile with "userns,", or: sysctl -w kernel.apparmor_restrict_unprivileged_userns=0, ${asRoot}`,
  },
  {
    when: ({ errno }) => errno === 22 || !existsSync('/proc/self/ns/user'),
    reason: 'this kernel has no user namespaces (CONFIG_USER_NS)',
    remedy: `Use a kernel that has them, ${asRoot}`,
  },
]

function denialOf(failure: SyscallFailure): { reason: string; remedy: string } {
  const found = denials.find(({ when }) => when(failure))
  if (found) return found
  const reason = `user namespaces are not to be had: ${refused(op, target, failure).reason}`
  return { reason, remedy: `Ask whoever runs this container or system to allow them, ${asRoot}` }
}

function setting(name: string): string | undefined {
  try {
    return readFileSync(`/proc/sys/${name}`, 'latin1').trim()
  } catch {
    return undefined
  }
}
