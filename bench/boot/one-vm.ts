import { join } from 'node:path'
import { type Nic, Scope } from '../../src/base/index.ts'
import type { Template, VmSpec } from '../../src/vm/index.ts'
import type { Sample } from '../benchmark.ts'
import { built } from '../built.ts'
import type { HostResources } from './host.ts'
import { nowMs } from './prober.ts'

/** A node of the default cluster, without a cluster: two NICs on bridges in a namespace of its own. */
export async function oneVmSpec(host: HostResources, scope: Scope): Promise<VmSpec> {
  const { openBridgeFabric, planBridges } = await built('net')
  const wiring = { mtu: 1500, nodes: [{ id: 1, nets: [0, 1] }], host: new Map() }
  const fabric = scope.add(await openBridgeFabric(planBridges(wiring)))
  const nics: readonly Nic[] = await fabric.nics(1)
  return {
    name: 'vm-001',
    qemu: host.qemu.path,
    kernel: host.image.vmlinux,
    initramfs: host.image.initramfs,
    memoryMiB: 128,
    vcpus: 2,
    accel: host.accel.kind,
    namespace: fabric.namespace,
    nics,
    consoleLog: join(host.places.cache, 'vm-001.log'),
  }
}

/** A template for such VMs, built in the fresh cache, with the time that building it took. */
export async function oneVmTemplate(
  spec: VmSpec,
  host: HostResources,
  scope: Scope,
): Promise<{ template: Template; buildMs: number }> {
  const { openTemplate } = await built('vm')
  const began = nowMs()
  const template = await openTemplate(
    { ...spec, qemu: host.qemu, image: host.image.key },
    { cacheDir: host.places.cache, notice: text => void process.stderr.write(`${text}\n`) },
  )
  return { template: scope.add(template), buildMs: nowMs() - began }
}

/** From the call that starts QEMU to the first answer of the guest's agent, with the milestones before it. */
export async function oneVmRound(spec: VmSpec, template?: Template): Promise<Sample> {
  await using scope = new Scope()
  const { startVm } = await built('vm')
  const machine = scope.add(await startVm({ ...spec, ...(template && { template }) }))
  await machine.ready
  return { ...machine.milestones }
}
