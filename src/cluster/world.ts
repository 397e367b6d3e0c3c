import { randomBytes } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { type Clock, systemClock } from '../base/index.ts'
import type { Dns } from '../dns/index.ts'
import type { GuestSources } from '../guest/index.ts'
import {
  type AdditionsOptions,
  checkMemory,
  findHostResources,
  type Load,
  NodeAdditions,
  type ProcessEnvironment,
  processEnvironment,
  readLoad,
} from '../host/index.ts'
import { type Fabric, suppressMldReports } from '../net/index.ts'
import type { ClusterPlan, Settings } from '../plan/index.ts'
import { type Machine, openTemplate, type StartOptions, startVm, type VmSpec } from '../vm/index.ts'
import { type ClusterDnsOptions, openClusterDns } from './dns/forwarder.ts'
import { type NetSetupOptions, openNetworkOf } from './network/script.ts'

/**
 * Everything outside of itself that a cluster uses: time, randomness, this machine, its programs and its kernel. It
 * is an argument of every start, so that unit tests pass one without VMs (test/support/fake-world.ts).
 */
export interface ClusterWorld extends GuestSources {
  readonly clock: Clock
  readonly environment: ProcessEnvironment
  readonly processors: number
  /** Processes of QEMU can be copied on this machine (native/qemu/zygote.c). */
  readonly forksQemu: boolean
  load(): Load
  readonly checkMemory: typeof checkMemory
  readonly findHost: typeof findHostResources
  additions(settings: Settings, options: AdditionsOptions): NodeAdditions
  openNetwork(plan: ClusterPlan, options: NetSetupOptions): Promise<Fabric>
  openDns(plan: ClusterPlan, options: ClusterDnsOptions): Promise<Dns | undefined>
  readonly openTemplate: typeof openTemplate
  startVm(spec: VmSpec, options: StartOptions): Promise<Machine>
  readonly suppressMldReports: typeof suppressMldReports
}

/** The dependencies of a real cluster: this machine and this process's environment. */
export function systemWorld(): ClusterWorld {
  return {
    clock: systemClock,
    wallClock: Date.now,
    randomBytes,
    environment: processEnvironment(),
    processors: availableParallelism(),
    forksQemu: process.arch === 'x64',
    load: () => readLoad(systemClock.now()),
    checkMemory,
    findHost: findHostResources,
    additions: (settings, options) => new NodeAdditions(settings, options),
    openNetwork: openNetworkOf,
    openDns: openClusterDns,
    openTemplate,
    startVm,
    suppressMldReports,
  }
}
