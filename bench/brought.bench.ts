import { debianRoot } from '../test/support/debian-root.ts'
import type { Benchmark, Sample } from './benchmark.ts'
import { overlayAt } from './boot/brought.ts'
import { clusterRound, type Size } from './boot/cluster.ts'
import { findHostResources } from './boot/host.ts'

/**
 * The default cluster with what users bring: an overlay that has changed since the last round, five that have not, and a
 * Debian as its root. Beside it the same cluster with nothing, cloned and booted cold.
 */
const brought: Benchmark = {
  rounds: { usual: 9, quick: 2 },
  needs: ['cc', 'ip', 'nsenter'],
  async prepare(scope) {
    const host = await findHostResources(scope)
    const rootfs = await debianRoot()
    const five = ['a', 'b', 'c', 'd', 'e'].map(name => overlayAt(host.places.cache, name, name))
    const round = async (more: Partial<Size>): Promise<Sample> => {
      const { template: _, ...sample } = await clusterRound(host, { nvm: 4, nrouters: 2, ...more }, 'always')
      return sample
    }
    let changes = 0
    const changed = () => overlayAt(host.places.cache, 'changed', `${changes++} ${process.pid} `)
    const variants = {
      cold: () => clusterRound(host, { nvm: 4, nrouters: 2 }, 'off'),
      clone: () => round({}),
      'changed overlay': () => round({ ovl: [changed()] }),
      'five overlays': () => round({ ovl: five }),
      debian: () => round({ rootfs }),
    }
    const units = { ready: 'ms', cpu: 'ms', pss: 'MiB', private: 'MiB' } as const
    const ratios = [
      ['changed overlay', 'cold'],
      ['five overlays', 'clone'],
      ['debian', 'clone'],
    ] as const
    return { cases: [{ n: 6, units, variants, ratios }], accel: host.accel.kind }
  },
}
export default brought
