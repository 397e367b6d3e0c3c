import type { ReachReport, VerifyReport } from '../../client/index.ts'
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

/** A verification as text: a line for each difference, then the counts. */
export function verifyText({ differences, unverified, paths }: VerifyReport): string {
  const lines = differences.map(
    ({ node, what, should, is }) => `${node}: ${what}: ${is}, should be ${should}`,
  )
  const unknown = unverified.map(({ node, reason }) => `${node}: not verified: ${reason}`)
  const { planned, broken } = paths
  const count = differences.length === 0 ? 'as planned' : counted(differences.length, 'difference')
  const held = broken === 0 ? counted(planned, 'path') : `${broken} of ${counted(planned, 'path')} broken`
  return `${[...lines, ...unknown, `${count}; ${held}`].join('\n')}\n`
}

const counted = (count: number, what: string) => `${count} ${what}${count === 1 ? '' : 's'}`
