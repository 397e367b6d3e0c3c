import type { ReachReport } from '../../client/index.ts'
import { table } from './table.ts'

/** Who reaches whom, for people: one line when all is well, else those that do not. */
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
