import { NetError } from '../errors.ts'

/** An interface of a node that a user's script or function is asked for. */
export interface Asked {
  readonly node: number
  readonly net: number
  /** The script's path, or what the function is called. */
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

/** It says that it cannot, or cannot be started. */
export function failed(asked: Asked, why: Why): NetError {
  return failure(asked, { code: 'NET_SETUP_FAILED', ...why })
}

export function hung(asked: Asked, ms: number): NetError {
  const reason = `did not end within ${ms / 1000} s, and was killed with what it had started`
  const remedy = 'What it leaves running has to be detached, and let go of its output (>/dev/null 2>&1)'
  return failure(asked, { code: 'NET_SETUP_TIMEOUT', reason, remedy })
}

/** What it said are no options of QEMU. */
export function nonsense(asked: Asked, why: string): NetError {
  const { net } = asked
  const example = `-netdev tap,id=net${net},ifname=TAP -device virtio-net-pci,netdev=net${net},mac=MAC`
  return failure(asked, {
    code: 'NET_SETUP_ANSWER',
    reason: why,
    remedy: `It should be QEMU options, such as: ${example}`,
  })
}

export function unusableTap(asked: Asked, name: string, cause: unknown): NetError {
  return failure(asked, {
    code: 'NET_SETUP_TAP',
    reason: `named ${name}, which is in use, is no tap, has several queues or cannot be made`,
    remedy: 'Make it before (ip tuntap add NAME mode tap), and let nobody else open it',
    cause,
  })
}

/** The last lines of it, indented. */
export function saidOn(stderr: string): string {
  const lines = stderr.trim().split('\n').slice(-8)
  return stderr.trim() === '' ? '' : `. It said:\n${lines.map(line => `  ${line}`).join('\n')}`
}

/** Text of others as it can be shown: no more than fits a line, and visible. */
export function shown(text: string): string {
  const [start, more] = [text.slice(0, 120), text.length > 120]
  return `${JSON.stringify(start)}${more ? `… (${text.length} characters)` : ''}`
}
