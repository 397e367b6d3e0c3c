import { constants } from 'node:fs'
import { access, appendFile, stat } from 'node:fs/promises'
import { delimiter, join, resolve } from 'node:path'
import { codeOf, messageOf, settingText } from '../../base/index.ts'
import {
  type Fabric,
  impatient,
  type NetSetup,
  openScriptFabric,
  routeMulticast,
  scriptSetup,
} from '../../net/index.ts'
import { type ClusterPlan, type Environment, type Settings, variablesOf } from '../../plan/index.ts'
import { ClusterError } from '../errors.ts'
import type { NetworkOptions } from './bridge.ts'
import { openNetwork } from './open.ts'

type NetworkPlan = Pick<ClusterPlan, 'name' | 'prefix' | 'bridges' | 'nodes'>

export interface NetSetupOptions extends NetworkOptions {
  /** The script's environment. */
  readonly env: Environment
  /** A function in place of a script. */
  readonly net?: NetSetup | undefined
  /** The path of the nodes' QEMU, which the script sees as `__kvm`. */
  readonly qemu: () => Promise<string>
  /** The directory of the cluster's logs. */
  readonly logs: string
}

/** The user's function or script that chooses nodes' interfaces, with its name for messages. Undefined without one. */
async function findNetSetup(
  settings: Settings,
  { net, qemu, logs, env, searchPath }: NetSetupOptions,
): Promise<{ setup: NetSetup; who: string } | undefined> {
  if (net) return { setup: impatient(net), who: 'the net function' }
  const { netSetup } = settings
  if (netSetup === '') return undefined
  const file = await findScript(netSetup, searchPath)
  const log = (text: string) => appendFile(join(logs, 'net-setup.log'), text)
  const given = { ...env, ...Object.fromEntries(variablesOf(settings)) }
  return {
    setup: scriptSetup({ file, log, env: async () => ({ ...given, __kvm: await qemu() }) }),
    who: file,
  }
}

/**
 * Makes the network of a cluster. Where a user's script or function chooses the nodes' interfaces, that is the bridges
 * alone, and a route for multicast segments.
 */
export async function openNetworkOf(plan: NetworkPlan, options: NetSetupOptions): Promise<Fabric> {
  const own = await findNetSetup(options.settings, options)
  if (!own) return await openNetwork(plan, options)
  const base = await openNetwork({ ...plan, nodes: [], bridges: { ...plan.bridges, taps: [] } }, options)
  if (base.namespace && options.settings.netns === '') await routeMulticast(base.namespace)
  return openScriptFabric(plan.bridges, { ...own, base, notice: options.notice })
}

/** Finds a program as a shell does: by PATH, unless its name has a slash. */
async function findScript(name: string, searchPath: string): Promise<string> {
  const directories = name.includes('/') ? ['.'] : searchPath.split(delimiter).filter(Boolean)
  const tried = await Promise.allSettled(directories.map(directory => program(resolve(directory, name))))
  const found = tried.find(result => result.status === 'fulfilled')
  if (found) return found.value
  const [first] = tried as [PromiseRejectedResult]
  const reason = name.includes('/') ? messageOf(first.reason) : `no directory of PATH has it (${searchPath})`
  const remedy = `Give ${settingText('netSetup')} the path of an executable program`
  throw new ClusterError({
    ...{ code: 'NET_SETUP_MISSING', kind: 'usage', op: 'find network script', target: name, reason, remedy },
  })
}

async function program(path: string): Promise<string> {
  await access(path, constants.X_OK)
  if ((await stat(path)).isFile()) return path
  throw new Error('it is not a regular file')
}

/** True when a user's script or function failed: the other nodes of a start continue. */
export function failsOneNode(failure: unknown): boolean {
  return codeOf(failure)?.startsWith('NET_SETUP_') ?? false
}

/** The error when QEMU ended before its monitor answered; `cause` has QEMU's own words. */
export function refusedByQemu(name: string, cause: unknown): ClusterError {
  const reason = `QEMU refused the options for its network interfaces: ${messageOf(cause)}`
  return new ClusterError({ code: 'NET_SETUP_REFUSED', op: 'start', target: name, reason, cause })
}
