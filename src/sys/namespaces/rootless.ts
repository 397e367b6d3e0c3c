import { existsSync, readFileSync } from 'node:fs'
import { settingText } from '../../base/index.ts'
import { isSyscallFailure, refused, type SyscallFailure, SysError } from '../errors.ts'

const op = 'create'
const target = 'network namespace'

/**
 * Explains why a namespace could not be created, and what would allow it. The failed attempt leaves nothing
 * behind: it ran in a process of its own.
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

/** The limits of namespaces(7): they count for each user, in this user namespace and in all that contain it. */
function limitOf(rootless: boolean): { reason: string; remedy: string } {
  const names = rootless ? ['max_net_namespaces', 'max_user_namespaces'] : ['max_net_namespaces']
  const limits = names.map(name => `user.${name} is ${setting(`user/${name}`) ?? 'unknown'}`)
  const reason = `the limit of namespaces for this user is reached (${limits.join(', ')}; an enclosing container may allow fewer)`
  return { reason, remedy: `Stop another cluster, or raise the limit: sysctl -w user.${names[0]}=<number>` }
}

interface Denial {
  readonly when: (failure: SyscallFailure) => boolean
  readonly reason: string
  readonly remedy: string
}

const asRoot = `or run as root, or use ${settingText('fabric', 'user')}`

/** The known causes, the most certain first. */
const denials: readonly Denial[] = [
  {
    when: () => setting('kernel/unprivileged_userns_clone') === '0',
    reason:
      'this system does not let unprivileged users create user namespaces (kernel.unprivileged_userns_clone is 0)',
    remedy: `Allow them: sysctl -w kernel.unprivileged_userns_clone=1, ${asRoot}`,
  },
  {
    when: () => setting('kernel/apparmor_restrict_unprivileged_userns') === '1',
    reason:
      'AppArmor does not let unprivileged users create user namespaces (kernel.apparmor_restrict_unprivileged_userns is 1)',
    remedy: `Give the node executable an AppArmor profile with "userns,", or: sysctl -w kernel.apparmor_restrict_unprivileged_userns=0, ${asRoot}`,
  },
  {
    when: ({ errno }) => errno === 22 || !existsSync('/proc/self/ns/user'),
    reason: 'this kernel has no user namespaces (CONFIG_USER_NS)',
    remedy: `Use a kernel with CONFIG_USER_NS, ${asRoot}`,
  },
]

function denialOf(failure: SyscallFailure): { reason: string; remedy: string } {
  const found = denials.find(({ when }) => when(failure))
  if (found) return found
  const reason = `the system refused to create a user namespace: ${refused(op, target, failure).reason}`
  return {
    reason,
    remedy: `Ask the administrator of this system or container to allow user namespaces, ${asRoot}`,
  }
}

function setting(name: string): string | undefined {
  try {
    return readFileSync(`/proc/sys/${name}`, 'latin1').trim()
  } catch {
    return undefined
  }
}
