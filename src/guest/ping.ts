import type { ReachResult } from '../api/index.ts'
import type { ReachTarget } from '../plan/index.ts'

/** How many pings run at once in a guest: each is a process, and a guest has little memory. */
const atOnce = 16

/**
 * A script for `/bin/sh` in a guest that pings addresses, up to three times each. It prints `+<address>` for each that
 * answers, and `-<address>` for the others.
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

/**
 * How long that script may take: a group of pings that are all lost takes three seconds, and a busy machine some more. A
 * guest that does not answer holds the check up no longer.
 */
export function reachMs(count: number): number {
  return 10_000 + 5_000 * Math.ceil(count / atOnce)
}

/** The results for these targets, from the output of a guest's script. A target that is not in it was not reached. */
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
