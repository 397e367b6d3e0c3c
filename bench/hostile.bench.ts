import { rmSync } from 'node:fs'
import { attack, type Fared } from '../test/support/hostile/attack.ts'
import { goodKind, type HostileKind, hostileKinds } from '../test/support/hostile/kinds.ts'
import { Xc } from '../test/support/xc.ts'
import { type Benchmark, type Case, median, type Sample } from './benchmark.ts'

const units = {
  'slowest status': 'ms',
  'median status': 'ms',
  'median node -e 0': 'ms',
  'slowest answer': 'ms',
  pause: 'ms',
  verify: 'ms',
  'scale-out': 'ms',
  stop: 'ms',
  'memory grown': 'MiB',
  'processors used': 'count',
} as const

/**
 * What a hostile guest costs its cluster: one good node beside one guest of each kind in turn, then beside all kinds at
 * once, and beside as many good ones, to which the benchmark gives the same commands. `xc` runs as whole processes;
 * memory is the owner's highest above what it had before the attack.
 */
const hostile: Benchmark = {
  rounds: { usual: 3, quick: 1 },
  async prepare(scope) {
    const xc = new Xc()
    scope.defer(() => rmSync(xc.root, { recursive: true, force: true }))
    scope.defer(() => xc.run(['stop', '--all']).then(() => {}))
    const failures: string[] = []
    const [together, control] = ['all at once', 'as many good ones']
    await warm(xc)
    const variantOf = (kinds: readonly HostileKind[], name: string) => {
      let isWarmUp = true
      return async () => {
        if (isWarmUp) {
          isWarmUp = false
          return {} // the caches are full, and a round takes half a minute
        }
        const fared = await attack(xc, kinds)
        if (name !== control) failures.push(...wrong(fared).map(text => `${name}: ${text}`))
        return sampleOf(fared)
      }
    }
    const { XCLUSTER_BENCH_KIND: only = '' } = process.env
    const chosen = hostileKinds.filter(({ name }) => name.includes(only))
    const alone = [goodKind, ...chosen].map(kind => [kind.name, variantOf([kind], kind.name)] as const)
    const cases: Case[] = []
    if (chosen.length > 0) cases.push({ n: 2, units, variants: Object.fromEntries(alone) })
    if (together.includes(only))
      cases.push({
        n: hostileKinds.length + 1,
        units,
        variants: {
          [together]: variantOf(hostileKinds, together),
          [control]: variantOf(
            hostileKinds.map(() => goodKind),
            control,
          ),
        },
        ratios: [[together, control]],
      })
    return { cases, accel: 'tcg', failures: () => failures }
  },
}
export default hostile

/** Makes the templates: of the nodes, and of the router that is added. */
async function warm(xc: Xc): Promise<void> {
  await xc.good(['start', '--nvm', '1', '--nrouters', '1', '--smp', '1', '--mem', '128'])
  await xc.good(['stop'])
}

function sampleOf(fared: Fared): Sample {
  return {
    'slowest status': Math.max(...fared.statusMs),
    'median status': median(fared.statusMs),
    'median node -e 0': median(fared.nodeMs),
    'slowest answer': Math.max(...fared.answerMs),
    pause: fared.pauseMs,
    verify: fared.verifyMs,
    'scale-out': fared.scaleOutMs,
    stop: fared.stopMs,
    'memory grown': fared.growthMiB,
    'processors used': fared.cpu,
  }
}

/** What must hold whatever guests do. */
function wrong({ said, statusMs, nodeMs, stopMs, growthMiB }: Fared): string[] {
  // On a busy machine even a Node that does nothing takes long: `xc status` is twice that, on a quiet one too.
  const mostMs = Math.max(300, 3 * Math.max(...nodeMs))
  const checks: readonly (readonly [boolean, string])[] = [
    [Math.max(...statusMs) <= mostMs, `status took ${Math.round(Math.max(...statusMs))} ms`],
    [stopMs <= 5000, `stop took ${Math.round(stopMs)} ms`],
    [growthMiB <= 64, `the owner's memory grew by ${Math.round(growthMiB)} MiB`],
    [said.good.stdout === 'good\n', `the good guest does not answer: ${said.good.stderr}`],
    [said.stop.status === 0, `stop failed: ${said.stop.stderr}`],
  ]
  return checks.filter(([holds]) => !holds).map(([, text]) => text)
}
