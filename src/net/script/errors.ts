import { messageOf } from '../../base/index.ts'
import type { SysError } from '../../sys/index.ts'
import { NetError } from '../errors.ts'

/** An interface of a node, for which a user's script or function is called. */
export interface Asked {
  readonly node: number
  readonly net: number
  /** The path of the script, or a name for the function. */
  readonly who: string
}

interface Why {
  readonly reason: string
  readonly remedy?: string
  readonly cause?: unknown
}

function failure({ node, net, who }: Asked, { reason, ...rest }: Why & { readonly code: string }): NetError {
  const op = `set up net ${net} of`
  return new NetError({ op, target: `node ${node}`, reason: `${who} ${reason}`, ...rest })
}

/** The script or function failed, or cannot be started. */
export function failed(asked: Asked, why: Why): NetError {
  return failure(asked, { code: 'NET_SETUP_FAILED', ...why })
}

export function hung(asked: Asked, ms: number): NetError {
  const reason = `did not end within ${ms / 1000} s, and was killed with its child processes`
  const remedy = 'Detach background processes that it leaves, and redirect their output (>/dev/null 2>&1)'
  return failure(asked, { code: 'NET_SETUP_TIMEOUT', reason, remedy })
}

/** The answer is not a list of QEMU options. */
export function badAnswer(asked: Asked, why: string): NetError {
  const { net } = asked
  const example = `-netdev tap,id=net${net},ifname=TAP -device virtio-net-pci,netdev=net${net},mac=MAC`
  return failure(asked, {
    code: 'NET_SETUP_ANSWER',
    reason: why,
    remedy: `It must give QEMU options, such as: ${example}`,
  })
}

export function unusableTap(asked: Asked, name: string, cause: unknown): NetError {
  const bytes = Buffer.byteLength(name)
  const isPossible = bytes <= maxName
  return failure(asked, {
    code: 'NET_SETUP_TAP',
    reason: isPossible
      ? `named the interface ${name}, which ${whyNot(cause)}`
      : `named the interface ${name}, which has ${bytes} bytes, and the kernel takes names of ${maxName}`,
    remedy: isPossible
      ? 'Make it first (ip tuntap add NAME mode tap), and make sure that no other program has it open'
      : 'Use a shorter name',
    cause,
  })
}

/** IFNAMSIZ without the NUL (include/uapi/linux/if.h). */
const maxName = 15

/** tun_set_iff, drivers/net/tun.c */
function whyNot(cause: unknown): string {
  const { errnoName, reason } = cause as Partial<SysError>
  if (errnoName === 'EBUSY') return 'another program has open'
  if (errnoName === 'EINVAL') return 'is not a tap, has several queues, or has an impossible name'
  return `cannot be opened: ${reason ?? messageOf(cause)}`
}

/** Text of another program, made visible and short enough for one line. */
export function shown(text: string): string {
  const [start, more] = [text.slice(0, 120), text.length > 120]
  return `${JSON.stringify(start)}${more ? `… (${text.length} characters)` : ''}`
}
