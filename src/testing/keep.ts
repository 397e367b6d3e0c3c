import { messageOf, systemClock } from '../base/index.ts'
import type { Cluster } from '../cluster/index.ts'
import { say } from './say.ts'

/** Says how to enter the cluster, and never resolves: it stays until this process is ended. */
export async function keep(cluster: Cluster, failure: unknown): Promise<never> {
  const { netns, userns, nodes } = cluster.status()
  const user = userns === undefined ? [] : [`--user=${userns}`, '--preserve-credentials']
  const lines = [
    `The test failed: ${messageOf(failure)}`,
    'Its cluster stays until you press Ctrl-C (XCLUSTER_KEEP=1).',
    `  ${['nsenter', ...user, `--net=${netns}`].join(' ')}   enters its network`,
    ...nodes.map(({ name, nets: [net], console: log }) => `  ${name}  ${net?.ipv4 ?? ''}  ${log}`),
  ]
  say(lines.join('\n'))
  const wait = (): void => void systemClock.after(3_600_000, wait)
  wait()
  return await new Promise<never>(() => {})
}
