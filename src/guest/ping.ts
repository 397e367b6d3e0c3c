import type { ReachResult } from '../api/index.ts'
import type { ReachTarget } from '../plan/index.ts'

/** How many pings a guest has under way: each is a process, and a guest is small. */
const atOnce = 16

/**
 * A script for `/bin/sh` in a guest that pings addresses, a few at a time, up to three times each, and says
 * `+<address>` or `-<address>` for each.
 */
export function reachScript(addresses: readonly string[]): string {
  const lines = addresses.map(
    (address, index) => `p ${address} &${(index + 1) % atOnce === 0 ? '\nwait' : ''}`,
  )
  return [
    'p() {',
    '  for try in 1 2 3; do ping -q -c 1 -W 1 "$1" >/dev/null 2>&1 && { echo "+$1"; return; }; done',
    '  echo "-$1"',
    '}',
    ...lines,
    'wait',
    '',
  ].join('\n')
}

/** Puts together what was to be reached and what a guest's script said; what it did not say is not reached. */
export function readReach(
  targets: readonly ReachTarget[],
  output: string,
  nameOf: (id: number) => string,
): ReachResult[] {
  const reached = new Set(output.split('\n').filter(line => line.startsWith('+')))
  return targets.map(({ from, to, address, family }) => ({
    from: nameOf(from),
    to: nameOf(to),
    address,
    family,
    ok: reached.has(`+${address}`),
  }))
}
