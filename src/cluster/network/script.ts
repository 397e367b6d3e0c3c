import { constants } from 'node:fs'
import { access, appendFile, stat } from 'node:fs/promises'
import { delimiter, join, resolve } from 'node:path'
import { messageOf, XclusterError } from '../../base/index.ts'
import { type Fabric, impatient, type NetSetup, openScriptFabric, scriptSetup } from '../../net/index.ts'
import type { ClusterPlan, Environment, Settings } from '../../plan/index.ts'
import { ClusterError } from '../errors.ts'
import type { NetworkOptions } from './bridge.ts'
import { openNetwork } from './open.ts'

type Wanted = Pick<ClusterPlan, 'name' | 'prefix' | 'bridges' | 'nodes'>

export interface NetSetupOptions extends NetworkOptions {
  /** What a script's environment is. */
  readonly env: Environment
  /** A function instead of a script. */
  readonly net?: NetSetup | undefined
  /** The QEMU that runs the nodes: `__kvm`. */
  readonly qemu: () => Promise<string>
  /** Where logs are. */
  readonly logs: string
}

/** Who says what interfaces of nodes are, where that is not us; and what he is called. */
async function findNetSetup(
  { netSetup }: Pick<Settings, 'netSetup'>,
  { net, qemu, logs, env, searchPath }: NetSetupOptions,
): Promise<{ setup: NetSetup; who: string } | undefined> {
  if (net) return { setup: impatient(net), who: 'the net function' }
  if (netSetup === '') return undefined
  const file = await findScript(netSetup, searchPath)
  const log = (text: string) => appendFile(join(logs, 'net-setup.log'), text)
  return { setup: scriptSetup({ file, log, env: async () => ({ ...env, __kvm: await qemu() }) }), who: file }
}

/** Makes the network of a cluster; where a user's script or function says what interfaces are, only the host's side. */
export async function openNetworkOf(plan: Wanted, wish: NetSetupOptions): Promise<Fabric> {
  const own = await findNetSetup(wish.settings, wish)
  if (!own) return await openNetwork(plan, wish)
  const bridges = plan.bridges.bridges.filter(({ addresses }) => addresses.length > 0)
  const base = await openNetwork(
    { ...plan, nodes: [], bridges: { ...plan.bridges, bridges, taps: [] } },
    wish,
  )
  return openScriptFabric(plan.bridges, { ...own, base, notice: wish.notice })
}

/** As a shell finds what it is to run. */
async function findScript(name: string, searchPath: string): Promise<string> {
  const directories = name.includes('/') ? ['.'] : searchPath.split(delimiter).filter(Boolean)
  const tried = await Promise.allSettled(directories.map(directory => program(resolve(directory, name))))
  const found = tried.find(result => result.status === 'fulfilled')
  if (found) return found.value
  const [first] = tried as [PromiseRejectedResult]
  const reason = name.includes('/') ? messageOf(first.reason) : `there is no ${name} in ${searchPath}`
  const remedy = 'Give --net-setup (__net_setup) the path of a program that may be executed'
  throw new ClusterError({
    ...{ code: 'NET_SETUP_MISSING', kind: 'usage', op: 'find', target: name, reason, remedy },
  })
}

async function program(path: string): Promise<string> {
  await access(path, constants.X_OK)
  if ((await stat(path)).isFile()) return path
  throw new Error('it is no file')
}

/** What a user's script or function does not manage is the failure of one node, and only that. */
export function isAlone(failure: unknown): boolean {
  return failure instanceof XclusterError && failure.code.startsWith('NET_SETUP_')
}

/** QEMU ended before it answered: it says why. */
export function refusedByQemu(name: string, cause: unknown): ClusterError {
  const reason = `QEMU does not take the options that it was given for its interfaces: ${messageOf(cause)}`
  return new ClusterError({ code: 'NET_SETUP_REFUSED', op: 'start', target: name, reason, cause })
}
