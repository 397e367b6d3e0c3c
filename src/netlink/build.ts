import { shape, taken } from '../base/index.ts'
import { NetlinkError } from './errors.ts'

/**
 * Calls a function that describes changes. Throws NETLINK_ASYNC_BUILD when it is asynchronous: what it adds
 * after its first `await` would be lost.
 */
export function buildAtOnce<T>(build: (into: T) => void, into: T, op: string): void {
  taken(op, build, shape.action)
  const returned: unknown = build(into)
  if (typeof (returned as PromiseLike<unknown> | undefined)?.then !== 'function') return
  Promise.resolve(returned).catch(() => {}) // this error is thrown instead
  throw new NetlinkError({
    code: 'NETLINK_ASYNC_BUILD',
    kind: 'usage',
    op,
    reason: 'the function that describes it is asynchronous, and nothing has been sent',
    remedy: 'Await what it needs before the call, and add the changes without `await`',
  })
}
