import type { Scope } from '../../../src/base/index.ts'
import { openClusterDns } from '../../../src/cluster/dns/forwarder.ts'
import type { Dns } from '../../../src/dns/index.ts'
import { openBridgeFabric } from '../../../src/net/index.ts'
import { planCluster } from '../../../src/plan/cluster.ts'
import { type ClusterPlan, resolveSettings, type SettingOptions } from '../../../src/plan/index.ts'
import { inNamespace } from '../../support/namespace.ts'

export interface ClusterForwarder {
  readonly dns: Dns
  readonly plan: ClusterPlan
  readonly notices: readonly string[]
  /** Runs dig(1) in the cluster's namespace, with `+short` unless other words are given. */
  dig(...words: string[]): Promise<string[]>
}

/** The forwarder of a cluster that has a network and no VMs. */
export async function openForwarder(scope: Scope, options: SettingOptions): Promise<ClusterForwarder> {
  const settings = resolveSettings({ options: { nvm: 2, nrouters: 0, ...options } })
  const plan = planCluster(settings)
  const notices: string[] = []
  const notice = (text: string) => void notices.push(text)
  const fabric = scope.add(await openBridgeFabric(plan.bridges))
  const dns = (await openClusterDns(plan, { settings, fabric, notice, scope }))!
  const dig = async (...words: string[]) => {
    const { stdout } = await inNamespace(fabric.namespace, ['dig', '+tries=1', '@192.168.0.250', ...words])
    return stdout.split('\n').filter(Boolean)
  }
  return { dns, plan, notices, dig: (...words) => dig('+short', ...words) }
}
