// @ts-check
import { createHash } from 'node:crypto'

/** Part of every key: incremented when the same source and options would give another kernel. */
const FORMAT = 1

/**
 * What tells one kernel from another: its source and the options that were asked for, whatever files they are from.
 * @param {string} source
 * @param {readonly import('./fragments.js').Option[]} options
 */
export function keyOf(source, options) {
  const last = new Map(options.map(({ name, value }) => [name, value]))
  const lines = [...last].map(([name, value]) => `${name}=${value}`).sort()
  return createHash('sha256')
    .update([FORMAT, source, ...lines].join('\n'))
    .digest('hex')
    .slice(0, 8)
}
