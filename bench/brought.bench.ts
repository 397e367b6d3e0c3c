import { statSync } from 'node:fs'
import { join } from 'node:path'
import { largeDebianRoot } from '../test/support/debian-root.ts'
import type { Benchmark, Sample } from './benchmark.ts'
import { overlayAt } from './boot/brought.ts'
import { clusterRound, type Size } from './boot/cluster.ts'
import { fewModules } from './boot/few-modules.ts'
import { findHostResources } from './boot/host.ts'

const tools = 'ip,iperf3,ssh,tc,tcpdump'
/** Bytes of a root that is worth the name. */
const large = 250 << 20

/**
 * The default cluster with what users bring: an overlay that has changed since the last round, five that have not
 * (of files alone, and with a script each), programs of this machine, and a Debian as its root. Beside it the same cluster with nothing, cloned and booted cold, and
 * with the few modules that guests once had.
 */
const brought: Benchmark = {
  rounds: { usual: 9, quick: 2 },
  needs: ['cc', 'ip', 'iperf3', 'nsenter', 'ssh', 'tcpdump'],
  async prepare(scope) {
    const host = await findHostResources(scope)
    const { cache } = host.places
    const rootfs = await largeDebianRoot()
    if (statSync(rootfs).size < large) throw new Error(`${rootfs} has less than 250 MiB`)
    const few = await fewModules(join(cache, 'few-modules'), { cacheDir: cache })
    const five = (script: boolean) =>
      ['a', 'b', 'c', 'd', 'e'].map(name =>
        overlayAt(join(cache, script ? 'scripts' : 'files'), name, { content: name, script }),
      )
    const [files, scripts] = [five(false), five(true)]
    const round = async (more: Partial<Size>): Promise<Sample> => {
      const { template: _, ...sample } = await clusterRound(host, { nvm: 4, nrouters: 2, ...more }, 'always')
      return sample
    }
    let changes = 0
    const changed = () =>
      overlayAt(cache, 'changed', { content: `${changes++} ${process.pid} `, script: true })
    const variants = {
      cold: () => clusterRound(host, { nvm: 4, nrouters: 2 }, 'off'),
      'few modules': () => round({ image: few }),
      clone: () => round({}),
      tools: () => round({ with: tools }),
      'changed overlay': () => round({ ovl: [changed()] }),
      'five overlays': () => round({ ovl: files }),
      'five with scripts': () => round({ ovl: scripts }),
      debian: () => round({ rootfs }),
    }
    const units = { ready: 'ms', cpu: 'ms', pss: 'MiB', private: 'MiB' } as const
    const ratios = [
      ['changed overlay', 'cold'],
      ['clone', 'few modules'],
      ['tools', 'few modules'],
      ['five overlays', 'clone'],
      ['five with scripts', 'clone'],
      ['debian', 'clone'],
    ] as const
    const ratiosOf = ['ready', 'cpu', 'private']
    return { cases: [{ n: 6, units, variants, ratios, ratiosOf }], accel: host.accel.kind }
  },
}
export default brought
