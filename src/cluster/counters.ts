import type { Counters } from '../api/index.ts'
import { loadAverages, processorMs } from '../host/index.ts'
import type { ClusterNode } from './nodes/node.ts'
import type { Parts } from './parts.ts'

/** Reads everything that is counted in a cluster, at one moment. */
export async function readCounters(
  { fabric, dns, world }: Pick<Parts, 'fabric' | 'dns' | 'world'>,
  nodes: readonly ClusterNode[],
): Promise<Counters> {
  const traffic = await fabric.traffic()
  const { questions, hits, own } = dns?.snapshot().counters ?? {}
  return {
    v: 1,
    atMs: Math.round(world.clock.now()),
    load: loadAverages(),
    ...(dns && { dns: { questions: questions!, answeredHere: hits! + own! } }),
    ...(fabric.tunnel && { tunnel: fabric.tunnel() }),
    nodes: nodes.map(node => {
      const { plan } = node
      const { pid } = node.status()
      const cpuMs = pid === undefined ? undefined : processorMs(pid)
      return {
        id: plan.id,
        ...(cpuMs !== undefined && { cpuMs }),
        nets: plan.nets.flatMap(({ net, dev }) => {
          const own = traffic.find(each => each.node === plan.id && each.net === net)
          return own ? [{ net, dev, sent: own.sent, ...(own.received && { received: own.received }) }] : []
        }),
      }
    }),
  }
}
