import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fetchGround } from '../scripts/ground/fetch.js'
import { grounds } from '../scripts/ground/grounds.js'
import { kernelOf, makeQemu, wrapOwnQemu } from '../scripts/ground/qemu.js'
import type { Benchmark, Sample } from './benchmark.ts'
import { clusterRound, type Size } from './boot/cluster.ts'
import { findHostResources } from './boot/host.ts'

/** Six clones with this machine's QEMU and kernel, and with those of other Debians, in turns. */
const ground: Benchmark = {
  rounds: { usual: 9, quick: 2 },
  needs: ['cc', 'ip', 'nsenter'],
  async prepare(scope) {
    const host = await findHostResources(scope)
    const folder = mkdtempSync(join(tmpdir(), 'xcluster-ground-'))
    scope.defer(() => rmSync(folder, { recursive: true }))
    chmodSync(folder, 0o755)
    const size: Size = { nvm: 4, nrouters: 2 }
    const round = async (parts: Partial<Size>): Promise<Sample> => {
      const { template: _, ...sample } = await clusterRound(host, { ...size, ...parts }, 'always')
      return sample
    }
    const own = wrapOwnQemu(folder)
    const variants: Record<string, () => Promise<Sample>> = { home: () => round({ kvm: own }) }
    for (const name of Object.keys(grounds)) {
      await fetchGround(name, { notice: text => void process.stderr.write(`${text}\n`) })
      const parts = { kvm: makeQemu(name, folder), kernel: kernelOf(name) }
      variants[name] = () => round(parts)
    }
    const middle = { kvm: join(folder, 'sid/qemu-system-x86_64'), kernel: kernelOf('trixie') }
    variants['sid-6.12'] = () => round(middle)
    const ratios = Object.keys(variants)
      .filter(name => name !== 'home')
      .map(name => [name, 'home'] as const)
    const units = { ready: 'ms', cpu: 'ms', pss: 'MiB', private: 'MiB' } as const
    return { cases: [{ n: 6, units, variants, ratios }], accel: host.accel.kind }
  },
}
export default ground
