import type { ReachReport } from '../../client/index.ts'
import { table } from './table.ts'

/** A reachability report as text: the counts, and a table of the pairs that failed. */
export function reachText({ pairs }: ReachReport): string {
  const failed = pairs.filter(({ ok }) => !ok)
  const count = (family: string) => {
    const ofFamily = pairs.filter(pair => pair.family === family)
    return `${ofFamily.filter(({ ok }) => ok).length} of ${ofFamily.length}`
  }
  const summary = `reached: IPv4 ${count('ipv4')}, IPv6 ${count('ipv6')}\n`
  if (failed.length === 0) return summary
  return (
    summary +
    table(
      ['from', 'cannot reach', 'at'],
      failed.map(({ from, to, address }) => [from, to, address]),
    )
  )
}
